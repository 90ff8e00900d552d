"""mininova-manage host."""

import json
import re

import pytest

from mininova.manage import hosts


def test_no_host_yet(run, db):
    """Without a host, the command says how to add one."""
    assert run(hosts.show) == run(hosts.discover) == [hosts.NONE_YET]


def test_list(run, register):
    """A host is shown with its room: what is claimed, of what there is."""
    register("host-1")
    _, line = run(hosts.show)
    assert re.split(r"  +", line) == [
        "host-1",
        "nova",
        "up",
        "enabled",
        "0 of 128",
        "0 of 24576",
        "0 of 200",
        line[-7:].strip(),
    ]
    assert re.fullmatch(r".*  \d+ s ago", line)


def test_list_as_json(run, register):
    """As JSON, the room is two numbers, and enabled is a boolean."""
    register("host-1")
    (host,) = json.loads("\n".join(run(hosts.show, format="json")))
    assert (host["host"], host["enabled"], host["vcpus"]) == ("host-1", True, {"promised": 0, "offered": 128})
    (usable,) = json.loads("\n".join(run(hosts.discover, format="json")))
    assert usable == {"host": "host-1", "schedulable": True, "what_is_missing": ""}


@pytest.mark.parametrize(
    ("how", "missing"),
    [
        ({}, ""),
        ({"node": False}, "it has not reported its capacity yet"),
        ({"ago": 600}, "it was last heard of 10 min ago: is mininova-compute running?"),
        ({"disabled": True, "disabled_reason": "new disk"}, "it is disabled: new disk"),
        ({"forced_down": True}, "it was forced down"),
    ],
)
def test_discover(run, register, how: dict[str, object], missing: str):
    """The command says that a host can be scheduled to, or what it lacks."""
    register("host-1", **how)
    _, line = run(hosts.discover)
    assert line.split(maxsplit=2) == (["host-1", "no", missing] if missing else ["host-1", "yes"])


def test_discover_a_node_without_a_service(run, register, db):
    """A host whose service was deleted is shown as well."""
    service = register("host-1")
    with db.write() as tx:
        hosts.services.delete(tx, service.uuid)
    _, line = run(hosts.discover)
    assert "its service is not registered" in line
