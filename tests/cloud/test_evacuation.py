"""Evacuations: a server is made anew on another host, since its own failed, and what that one finds when it is back."""

from functools import partial
from typing import Any

import pytest

from mininova import errors, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.db import faults, networks, server_migrations
from mininova.objects import Fault, InstanceChanges
from tests.fixtures.cloud import Cloud
from tests.fixtures.migrations import agrees, claimed, due, guests, other, status
from tests.fixtures.operations import action_of, again, ask, open_operation, ready_for, steps


def evacuate(cloud: Cloud, uuid: str, version: str = "2.96", user: str = "admin", **asked: Any) -> Any:
    """Ask for an evacuation; give the answer."""
    return cloud.request("POST", f"/servers/{uuid}/action", {"evacuate": asked}, user=user, version=version)


def events(cloud: Cloud, prefix: str = "compute.instance.") -> list[str]:
    """Name the notifications, in their order."""
    sent = (event.method for event in cloud.events if event.kind == "sent")
    return [name.removeprefix(prefix) for name in sent if name.startswith(prefix) and name != prefix + "update"]


def waits(cloud: Cloud, uuid: str) -> list[str]:
    """Name the hosts for which something of a server waits: its address, or the mark of a guest that may be left."""
    with cloud.db.read() as tx:
        found = {host: {*networks.departed(tx, host), *server_migrations.left_on(tx, host)} for host in cloud.computes}
    return [host for host, uuids in found.items() if uuid in uuids]


# ---- the good story


@pytest.mark.parametrize(
    ("version", "before", "after"),
    [("2.94", "start", "start"), ("2.94", "stop", "stop"), ("2.95", "stop", "start"), ("2.95", "start", "start")],
)
def test_a_server_is_made_anew_elsewhere(cloud: Cloud, version: str, before: str, after: str):
    """It runs or is stopped as before; from 2.95 on it is stopped.  The host that failed finds its guest a stranger."""
    uuid = ready_for(cloud, before)  # a server that can be started is stopped
    source = cloud.instance(uuid).host
    cloud.lose_host(source)
    cloud.events.clear()
    answer = evacuate(cloud, uuid, version)
    assert (answer.status_code, answer.data) == (200, b"")
    shown = cloud.show(uuid)
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("REBUILD", "rebuilding")
    cloud.run()
    now = cloud.instance(uuid)
    rests, power = (states.STOPPED, states.SHUTDOWN) if after == "start" else (states.ACTIVE, states.RUNNING)
    assert (now.vm_state, now.task_state, now.host, now.power_state) == (rests, None, other(source), power)
    assert status(cloud) == "done"
    assert claimed(cloud) == {now.host: 512}
    assert guests(cloud, uuid)[now.host] == power
    assert events(cloud) == ["evacuate", "rebuild.scheduled", "exists", "rebuild.start", "rebuild.end"]
    action = action_of(cloud, uuid, answer.headers["x-openstack-request-id"])
    assert (action.action, steps(action)) == ("evacuate", [("compute_rebuild_instance", "Success")])
    assert waits(cloud, uuid) == [source]
    cloud.return_hosts()
    assert guests(cloud, uuid) == {now.host: power}
    assert (status(cloud), waits(cloud, uuid)) == ("completed", [])
    assert agrees(cloud)


def test_it_goes_where_an_administrator_says(make_cloud: Any):
    """Through the filters, or from 2.29 to 2.67 without them by force; before 2.29 each named host is forced."""
    cloud = make_cloud(hosts=("host-1", "host-2", "host-3"))
    for version, more, goes in ("2.28", {}, True), ("2.67", {"force": True}, True), ("2.96", {}, False):
        uuid = ready_for(cloud, "stop")
        source = cloud.instance(uuid).host
        there = next(host for host in cloud.computes if host != source)
        disable = {"host": there, "binary": "nova-compute"}
        cloud.request("PUT", "/os-services/disable", disable, user="admin", version="2.52")
        cloud.lose_host(source)
        assert evacuate(cloud, uuid, version, host=there, **more).status_code == 200
        cloud.run()
        where = (there, states.ACTIVE, "done") if goes else (source, states.ERROR, "error")
        assert (cloud.instance(uuid).host, cloud.instance(uuid).vm_state, status(cloud)) == where
        cloud.return_hosts()
        for host in cloud.computes:
            mend = {"forced_down": False, "binary": "nova-compute", "host": host}
            cloud.request("PUT", "/os-services/force-down", mend, user="admin", version="2.52")
            cloud.request("PUT", "/os-services/enable", mend | {"host": host}, user="admin", version="2.52")
    assert agrees(cloud)


@pytest.mark.parametrize("asked", [{"onSharedStorage": False}, {"onSharedStorage": "True"}])
def test_its_password_is_told_before_2_14(cloud: Cloud, asked: dict[str, Any]):
    """One that was asked for, or is made up; none on a shared disk, on which it cannot be changed."""
    uuid = ready_for(cloud, "evacuate")
    own = {"adminPass": "Secret"}
    if asked["onSharedStorage"]:
        assert evacuate(cloud, uuid, "2.13", **asked, **own).status_code == 400
        assert evacuate(cloud, uuid, "2.13", **asked).json == {"adminPass": None}
    else:
        assert evacuate(cloud, uuid, "2.13", **asked, **own).json == own
        assert len(evacuate(cloud, uuid, "2.13", **asked).json["adminPass"]) > 8


# ---- what is refused


def test_a_host_that_is_up_is_not_evacuated(cloud: Cloud):
    """Its guest may run there; Nova's words say so."""
    uuid = ready_for(cloud, "stop")
    answer = evacuate(cloud, uuid)
    host = cloud.instance(uuid).host
    assert answer.status_code == 400
    assert answer.json["badRequest"]["message"] == f"Compute service of {host} is still in use."
    assert open_operation(cloud.db, uuid) is None


def test_bad_wishes(cloud: Cloud):
    """A host that is none, its own, force without a host or where there is none, and a member of the project."""
    uuid = ready_for(cloud, "evacuate")
    here = cloud.instance(uuid).host
    for version, asked, code, says in (
        ("2.96", {"host": "host-9"}, 404, "Compute host host-9 not found."),
        ("2.96", {"host": here}, 400, "The target host can't be the same one."),
        ("2.29", {"force": True}, 400, "Can't force to a non-provided destination"),
        ("2.68", {"host": other(here), "force": True}, 400, "force"),
        ("2.14", {"onSharedStorage": True}, 400, "onSharedStorage"),
        ("2.13", {}, 400, "onSharedStorage"),
    ):
        answer = evacuate(cloud, uuid, version, **asked)
        assert (answer.status_code, says in answer.text) == (code, True), answer.text
    assert evacuate(cloud, uuid, user="demo").status_code == 403


@pytest.mark.parametrize("operation", ["pause", "resize", "delete"])
def test_a_server_in_no_state_for_it(cloud: Cloud, operation: str):
    """It is paused, on its way to another host already, or being deleted."""
    uuid, _ = ask(cloud, operation)
    if operation == "pause":
        cloud.run()
    cloud.lose_host(cloud.instance(uuid).host or "")
    assert evacuate(cloud, uuid).status_code == 409


@pytest.mark.parametrize("begun", [True, False])
def test_it_interrupts_what_the_host_does_no_more(cloud: Cloud, begun: bool):
    """A reboot, and an evacuation to a host that failed as well, whose host then finds no work to do.

    The message of an evacuation that was not begun begins the later one, for whose request a host is claimed.
    """
    uuid, reboot = ask(cloud, "reboot")
    cloud.lose_host(cloud.instance(uuid).host)
    first = evacuate(cloud, uuid).headers["x-openstack-request-id"]
    assert f"interrupted by evacuate ({first})" in str(action_of(cloud, uuid, reboot).events)
    if begun:
        cloud.broker.deliver_one()
    second = evacuate(cloud, uuid).headers["x-openstack-request-id"]
    assert f"interrupted by evacuate ({second})" in str(action_of(cloud, uuid, first).events)
    cloud.run()
    assert steps(action_of(cloud, uuid, second)) == [("compute_rebuild_instance", "Success")]
    assert cloud.instance(uuid).vm_state == states.STOPPED
    cloud.return_hosts()
    assert list(guests(cloud, uuid)) == [cloud.instance(uuid).host]
    assert agrees(cloud)


# ---- what goes wrong


def test_there_is_no_other_host(make_cloud: Any):
    """The server is in ERROR, and says why; when the host is back, it has its guest still, and is only reset."""
    cloud = make_cloud(hosts=("host-1",))
    uuid, request_id = ask(cloud, "evacuate")
    cloud.run()
    assert (cloud.instance(uuid).vm_state, status(cloud)) == (states.ERROR, "error")
    with cloud.db.read() as tx:
        assert "No valid host" in faults.latest(tx, [uuid])[uuid].message
    assert steps(action_of(cloud, uuid, request_id)) == [("rebuild_server", "Error")]
    cloud.return_hosts()
    assert guests(cloud, uuid) == {"host-1": states.RUNNING}
    assert agrees(cloud)


def test_a_host_is_back_in_the_middle(cloud: Cloud):
    """It keeps its guest until the new one is there, in case that fails; then it is told to destroy it."""
    uuid, _ = ask(cloud, "evacuate")
    source = cloud.instance(uuid).host
    while not due(cloud, uuid, "evacuate"):
        assert cloud.broker.deliver_one()
    cloud.return_host(source)
    assert guests(cloud, uuid) == {source: states.RUNNING}
    cloud.run()
    assert (list(guests(cloud, uuid)), status(cloud)) == ([other(source)], "completed")
    assert agrees(cloud)


def test_a_rebuild_does_not_go_on_where_the_host_is_back(cloud: Cloud):
    """Its task looks like that of the evacuation: the host that failed in the middle of it is told that it has none."""
    uuid, _ = ask(cloud, "rebuild")
    source = cloud.instance(uuid).host
    cloud.lose_host(source)
    evacuate(cloud, uuid)
    cloud.broker.deliver_one()
    cloud.return_host(source)  # where the message of the rebuild waits
    cloud.run()
    now = cloud.instance(uuid)
    assert (now.host, now.vm_state, list(guests(cloud, uuid))) == (other(source), states.STOPPED, [other(source)])
    assert agrees(cloud)


@pytest.mark.parametrize("says", ["end", "fault"])
def test_the_host_that_failed_cannot_end_it(cloud: Cloud, says: str):
    """Not by pretending that what is under way is a rebuild of its own."""
    uuid, _ = ask(cloud, "evacuate")
    source = cloud.instance(uuid).host
    while not due(cloud, uuid, "evacuate"):
        assert cloud.broker.deliver_one()
    cloud.return_host(source)
    conductor, before = ConductorAPI(cloud.peers[f"compute.{source}"]), cloud.instance(uuid)
    ctxt = open_operation(cloud.db, uuid).context  # which the host cannot know
    if says == "end":
        changes = InstanceChanges(vm_state=states.ACTIVE, task_state=None)
        say = partial(conductor.update_instance, ctxt, before, "rebuild", changes)
    else:
        fault = Fault(code=500, message="it is so")
        say = partial(conductor.fail_instance, ctxt, before, "rebuild", fault)
    with pytest.raises(errors.InstanceNotFound):
        say()
    assert cloud.instance(uuid) == before
    cloud.run()
    assert (cloud.instance(uuid).host, status(cloud)) == (other(source), "completed")


# ---- what is left


def test_the_address_of_an_evacuated_server_waits_for_all_its_hosts(make_cloud: Any):
    """It was evacuated twice, and is deleted: each of the hosts that failed may have a guest that uses it."""
    cloud = make_cloud(hosts=("host-1", "host-2", "host-3"))
    uuid = ready_for(cloud, "stop")
    used, left = cloud.instance(uuid).addresses[0].address, []
    for _ in range(2):
        left.append(cloud.instance(uuid).host)
        cloud.lose_host(left[-1])
        assert evacuate(cloud, uuid).status_code == 200
        cloud.run()
    again(cloud, "delete", uuid)
    cloud.run()
    left.sort()
    for number, host in enumerate(left):
        assert waits(cloud, uuid) == left[number:]
        with cloud.db.write() as tx:
            assert networks.allocate(tx, "flat", "10.0.0.0/28", f"before {host}").address != used
        cloud.return_host(host)
    assert (waits(cloud, uuid), guests(cloud, uuid)) == ([], {})
    with cloud.db.write() as tx:
        lent = {networks.allocate(tx, "flat", "10.0.0.0/28", f"the next {n}").address for n in range(11)}
    assert used in lent


def test_a_migration_is_listed_without_flavors(cloud: Cloud):
    """As Nova lists an evacuation."""
    uuid, _ = ask(cloud, "evacuate")
    cloud.run()
    (found,) = cloud.request("GET", "/os-migrations?migration_type=evacuation", user="admin").json["migrations"]
    assert (found["old_instance_type_id"], found["new_instance_type_id"], found["status"]) == (None, None, "done")
    assert found["dest_compute"] == cloud.instance(uuid).host
