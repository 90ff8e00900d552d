"""Golden traces: every message of the most common events, in order, as ``mininova-flow show`` prints them.

A trace is documentation that the tests run. When one changes, read the diff as you would read code, and rewrite it with
``pytest tests/cloud/test_traces.py --rewrite``.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from mininova.flow import trace
from tests.fixtures.cloud import Cloud

TRACES = Path(__file__).parents[1] / "traces"

FAILS = """
- hosts: {hosts}
  operation: spawn
  failure: {{probability: 1, message: the disk is full}}
"""


def boot(cloud: Cloud) -> None:
    """One server, from the request to ACTIVE."""
    cloud.boot()


def boot_elsewhere(cloud: Cloud) -> None:
    """A server whose first host cannot spawn it."""
    cloud.boot()


def boot_nowhere(cloud: Cloud) -> None:
    """A server that no host can spawn."""
    cloud.boot()


def delete(cloud: Cloud) -> None:
    """A server that is ACTIVE is deleted."""
    uuid = cloud.boot()
    cloud.run()
    cloud.events.clear()
    cloud.request("DELETE", f"/servers/{uuid}")


def no_valid_host(cloud: Cloud) -> None:
    """A server that fits nowhere."""
    for _ in range(2):
        cloud.boot(flavorRef="5")
    cloud.run()
    cloud.events.clear()
    cloud.boot(flavorRef="5")


def delete_during_build(cloud: Cloud) -> None:
    """A server is deleted while its build is on the way to its host."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()
    cloud.request("DELETE", f"/servers/{uuid}")


def rest(cloud: Cloud, *asked: tuple[str, object]) -> str:
    """Boot a server, and do to it what a story begins after."""
    uuid = cloud.boot()
    for action, body in asked:
        cloud.run()
        cloud.act(uuid, action, body)
    cloud.run()
    cloud.events.clear()
    return uuid


def snapshot(cloud: Cloud) -> None:
    """An image is made of a server that is ACTIVE."""
    cloud.act(rest(cloud), "createImage", {"name": "golden"})


def shelve(cloud: Cloud) -> None:
    """A server that is ACTIVE is shelved, and leaves its host at once."""
    cloud.sweeper.conf.set_override("shelved_offload_time", 0, group="operations")
    cloud.act(rest(cloud), "shelve")


def unshelve(cloud: Cloud) -> None:
    """A server that is on no host is unshelved."""
    cloud.sweeper.conf.set_override("shelved_offload_time", 0, group="operations")
    cloud.act(rest(cloud, ("shelve", None)), "unshelve")


def resize(cloud: Cloud) -> None:
    """A server that is ACTIVE gets another flavor, on another host, until its owner confirms that."""
    uuid = cloud.boot()
    cloud.run()
    cloud.events.clear()
    cloud.request("POST", f"/servers/{uuid}/action", {"resize": {"flavorRef": "2"}})
    cloud.run()
    cloud.request("POST", f"/servers/{uuid}/action", {"confirmResize": None})


def migrate_live(cloud: Cloud) -> None:
    """A server that is ACTIVE goes to another host while it runs."""
    uuid = cloud.boot()
    cloud.run()
    cloud.login("admin", "admin")
    cloud.events.clear()
    body = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
    cloud.request("POST", f"/servers/{uuid}/action", body, user="admin")


def evacuate(cloud: Cloud) -> None:
    """A server whose host has failed is made anew on another one."""
    uuid = cloud.boot()
    cloud.run()
    cloud.login("admin", "admin")
    cloud.lose_host(cloud.instance(uuid).host or "")
    cloud.events.clear()
    cloud.request("POST", f"/servers/{uuid}/action", {"evacuate": {}}, user="admin")


STORIES: dict[str, tuple[Callable[[Cloud], None], str]] = {
    "boot": (boot, ""),
    "delete": (delete, ""),
    "resize": (resize, ""),
    "live-migration": (migrate_live, ""),
    "evacuation": (evacuate, ""),
    "retry": (boot_elsewhere, FAILS.format(hosts="host-2")),  # which the scheduler chooses first
    "exhausted": (boot_nowhere, FAILS.format(hosts="host-*")),
    "no-valid-host": (no_valid_host, ""),
    "delete-during-build": (delete_during_build, ""),
    "snapshot": (snapshot, ""),
    "shelve": (shelve, ""),
    "unshelve": (unshelve, ""),
}


@pytest.mark.parametrize("name", STORIES)
def test_trace(name: str, make_cloud: Callable[..., Cloud], request: pytest.FixtureRequest):
    """The messages of an event are, in order, those of its golden trace."""
    story, behaviour = STORIES[name]
    cloud = make_cloud(behaviour=behaviour)
    cloud.login()
    cloud.events.clear()
    story(cloud)
    cloud.run()
    lines = trace.lines(cloud.events, times=False, normalise=trace.StableNames(cloud.events))
    text = "\n".join([f"# {story.__doc__}", *lines, ""])
    golden = TRACES / f"{name}.txt"
    if request.config.getoption("--rewrite"):
        golden.write_text(text)
    assert text == golden.read_text(), f"rewrite {golden.name} with --rewrite if this is meant"
