"""Addresses, diagnostics and actions of one server."""

from typing import Any

import pytest

from mininova.db import actions, networks


def test_addresses_by_network(api: Any) -> None:
    """The answer has all networks, or the one in the URL."""
    uuid = api.active()
    with api.db.write() as tx:
        ip = networks.allocate(tx, "flat", "10.0.0.0/16", uuid)
    flat = [{"version": 4, "addr": ip.address}]
    assert api("GET", f"/servers/{uuid}/ips").body == {"addresses": {"flat": flat}}
    assert api("GET", f"/servers/{uuid}/ips/flat").body == {"flat": flat}
    assert api("GET", f"/servers/{uuid}/ips/x").message == "Instance is not a member of specified network"


COUNTERS = {
    "state": "running", "driver": "libvirt", "hypervisor": "fake", "hypervisor_os": "linux", "uptime": 7,
    "config_drive": False, "num_cpus": 1, "num_disks": 1, "num_nics": 1,
    "memory_details": {"maximum": 512, "used": 100},
    "cpu_details": [{"id": 0, "time": 17, "utilisation": 3}],
    "disk_details": [{"read_bytes": 1, "read_requests": 2, "write_bytes": 3, "write_requests": 4, "errors_count": 5}],
    "nic_details": [
        {"mac_address": None, "rx_rate": None, "tx_rate": None}
        | {f"{way}_{word}": 1 for way in ("rx", "tx") for word in ("octets", "packets", "errors", "drop")}
    ],
    "disk_names": ["vda"], "nic_names": ["tap0"],
}  # fmt: skip


def test_diagnostics_have_two_forms(api: Any) -> None:
    """They are free fields before 2.48, and lists of devices from then on."""
    uuid = api.active()
    api.compute.answers["get_diagnostics"] = COUNTERS
    old = api("GET", f"/servers/{uuid}/diagnostics", version="2.47", user="admin").body
    new = api("GET", f"/servers/{uuid}/diagnostics", version="2.48", user="admin").body
    assert (old["cpu0_time"], old["memory"], old["vda_read"], old["vda_errors"], old["tap0_tx"]) == (
        17,
        524288,
        1,
        5,
        1,
    )
    assert new["disk_details"] == COUNTERS["disk_details"]
    assert not new.keys() & {"disk_names", "nic_names"}


def test_diagnostics_are_for_administrators(api: Any) -> None:
    """The answer comes from the host."""
    assert api("GET", f"/servers/{api.active()}/diagnostics").status == 403


def test_there_is_no_topology(api: Any) -> None:
    """No guest has NUMA nodes, and the answer says so from 2.78 on."""
    uuid = api.active()
    assert api("GET", f"/servers/{uuid}/topology", version="2.77").status == 404
    assert api("GET", f"/servers/{uuid}/topology", version="2.78").body == {"nodes": [], "pagesize_kb": None}


# ---- the actions of a server


@pytest.fixture
def built(api: Any) -> tuple[str, str]:
    """Make a server whose build failed on one host; give its id and the request's."""
    uuid = api.active()
    with api.db.write() as tx:
        (create,) = actions.search(tx, uuid)
        actions.event_start(tx, uuid, "compute__do_build_and_run_instance", "host-1")
        actions.event_fail(tx, uuid, "Traceback")
    return uuid, create.request_id


def events(api: Any, built: tuple[str, str], version: str, user: str = "member") -> Any:
    path = f"/servers/{built[0]}/os-instance-actions/{built[1]}"
    return api("GET", path, version=version, user=user).body["instanceAction"].get("events")


def test_events_are_for_administrators_and_later_for_all(api: Any, built: tuple[str, str]) -> None:
    """From 2.51 on users see the events of their servers, but no tracebacks and no hosts."""
    assert events(api, built, "2.50") is None
    assert events(api, built, "2.50", "admin")[0]["traceback"] == "Traceback"
    (event,) = events(api, built, "2.84")
    assert (event["result"], "traceback" in event, "host" in event, "details" in event) == (
        "Error",
        False,
        False,
        False,
    )
    (event,) = events(api, built, "2.84", "admin")
    assert (event["host"], event["details"]) == ("host-1", "Traceback")


def test_an_unknown_action_is_404(api: Any, built: tuple[str, str]) -> None:
    """The error has Nova's words."""
    assert api("GET", f"/servers/{built[0]}/os-instance-actions/req-x").message == "Action req-x not found"


def test_actions_outlive_their_server_from_2_21_on(api: Any) -> None:
    """The actions of a deleted server can still be read."""
    uuid = api.boot()
    api("DELETE", f"/servers/{uuid}")
    assert api("GET", f"/servers/{uuid}/os-instance-actions", version="2.20").status == 404
    listed = api("GET", f"/servers/{uuid}/os-instance-actions", version="2.21").body["instanceActions"]
    assert [action["action"] for action in listed] == ["delete", "create"]


def test_actions_come_in_pages_from_2_58_on(api: Any) -> None:
    """Each page has a link to the next one."""
    uuid = api.active()
    for action in ("lock", "unlock"):
        api("POST", f"/servers/{uuid}/action", {action: None})
    path = f"/servers/{uuid}/os-instance-actions"
    page = api("GET", f"{path}?limit=2", version="2.58").body
    assert [action["action"] for action in page["instanceActions"]] == ["unlock", "lock"]
    rest = api("GET", page["links"][0]["href"].removeprefix("http://localhost/v2.1"), version="2.58").body
    assert [action["action"] for action in rest["instanceActions"]] == ["create"]
    assert len(api("GET", f"{path}?limit=1", version="2.57").body["instanceActions"]) == 3
