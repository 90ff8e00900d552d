"""Each accepted operation has an action with a start, events and an end, also when a fault or a delete ends it."""

from typing import Any

import pytest

from mininova import states
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.db import actions
from mininova.db.actions import ON_HOST
from mininova.objects import ImageMeta, InstanceChanges
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import WAYS, action_of, again, ask, every_operation, open_operation, steps, steps_of

FAILS = "[{operation: '*', failure: {probability: 1, message: out of luck}}]"


@every_operation
def test_success(cloud: Cloud, operation: str):
    """One step, on the host, or one for each step of a migration; they ended well; no message."""
    uuid, request_id = ask(cloud, operation)
    cloud.run()
    action = action_of(cloud, uuid, request_id)
    assert (action.action, action.message) == (states.OPERATIONS[operation].action, None)
    assert steps(action) == [(step, "Success") for step in steps_of(operation)]
    assert action.events[0].host in cloud.computes


@every_operation
def test_failure(cloud: Cloud, operation: str):
    """The step on the host says what went wrong, and the action that something did."""
    uuid, request_id = ask(cloud, operation)
    (cloud.path / "behaviour.yaml").write_text(FAILS)
    cloud.run()
    action = action_of(cloud, uuid, request_id)
    assert action.message == "Error"
    assert (steps_of(operation)[-1], "Error") in steps(action)
    assert "out of luck" in str([event.traceback for event in action.events])


@every_operation
def test_a_host_that_comes_back_ends_its_operation(cloud: Cloud, operation: str):
    """An operation that its host takes up again ends well, and all its records have the id of the client's request."""
    uuid, request_id = ask(cloud, operation)
    for compute in cloud.computes.values():
        setattr(compute.driver, WAYS[operation].does, die)
    with pytest.raises(SystemExit):
        cloud.run()
    cloud.events.clear()
    for name in cloud.racks:
        cloud.kill_compute(name)
    cloud.run()
    action = action_of(cloud, uuid, request_id)
    assert (steps(action), action.message) == ([(step, "Success") for step in steps_of(operation)], None)
    told = {event.request_id for event in cloud.events if event.method.startswith("compute.instance.")}
    assert told == {request_id}


def die(*asked: Any, **how: Any) -> None:
    """End the process in the middle of a call of its hypervisor."""
    raise SystemExit


@pytest.mark.parametrize("operation", [name for name in states.OPERATIONS if name != "delete"])
def test_a_delete_interrupts_it(cloud: Cloud, operation: str):
    """The interrupted action names the request of the delete; the delete's own action ends well."""
    uuid, request_id = ask(cloud, operation)
    if operation == "build" or operation in states.MIGRATIONS:
        cloud.broker.deliver_one()  # to the conductor, which gives it a host
    by = again(cloud, "delete", uuid)
    cloud.run()
    action, delete = action_of(cloud, uuid, request_id), action_of(cloud, uuid, by)
    assert (steps(action), action.message) == ([(steps_of(operation)[-1], "Error")], "Error")
    assert action.events[0].traceback == f"interrupted by delete ({by})"
    by_whom = "api__local_delete" if operation == "evacuate" else ON_HOST["delete"]  # its host is down
    assert (steps(delete), delete.message) == ([(by_whom, "Success")], None)


# ---- operations without the work of a host


def test_a_build_that_no_host_can_take(cloud: Cloud):
    """Its one step is the scheduling, and says what the fault says."""
    uuids = [cloud.boot(flavorRef="5") for _ in range(4)]
    cloud.run()
    uuid = next(uuid for uuid in uuids if cloud.show(uuid)["status"] == "ERROR")
    with cloud.db.read() as tx:
        (found,) = actions.search(tx, uuid)
    action = action_of(cloud, uuid, found.request_id)
    assert steps(action) == [("conductor_schedule_and_build_instances", "Error")]
    assert "No valid host" in action.events[0].traceback


def test_a_build_that_is_deleted_before_it_has_a_host(cloud: Cloud):
    """The api does the delete, and its action says so; the build's action says that it was interrupted."""
    uuid, request_id = ask(cloud, "build")
    by = again(cloud, "delete", uuid)
    cloud.run()
    assert steps(action_of(cloud, uuid, request_id)) == [("conductor_schedule_and_build_instances", "Error")]
    assert steps(action_of(cloud, uuid, by)) == [("api__local_delete", "Success")]


@pytest.mark.parametrize("operation", ["build", "stop", "delete"])
def test_a_cast_that_is_refused(cloud: Cloud, operation: str):
    """A compute that does not know the version ends the action, and the action says so."""
    uuid, request_id = ask(cloud, operation)
    cloud.pretend_version("compute", "9.0")
    cloud.run()
    action = action_of(cloud, uuid, request_id)
    assert steps(action) == [(ON_HOST[operation], "Error")]
    assert action.events[0].traceback.endswith("was refused: UnsupportedVersion")


def test_a_reset_of_the_state(cloud: Cloud):
    """A reset has an action of its own, and ends the one that it interrupts; the host that goes on
    finds nothing to do.
    """
    uuid, request_id = ask(cloud, "stop")
    body = {"os-resetState": {"state": "active"}}
    answer = cloud.request("POST", f"/servers/{uuid}/action", body, user="admin")
    by = answer.headers["x-openstack-request-id"]
    cloud.run()
    with cloud.db.read() as tx:
        reset = actions.get(tx, uuid, by)
    stop = action_of(cloud, uuid, request_id)
    assert (reset.action, reset.finish_time is not None, steps(reset), reset.message) == ("resetState", True, [], None)
    assert stop.events[0].traceback == f"interrupted by resetState ({by})"
    assert cloud.show(uuid)["status"] == "ACTIVE"


def test_a_hard_reboot_interrupts_a_soft_one(cloud: Cloud):
    """The soft reboot's action ends where the hard one's begins."""
    uuid, request_id = ask(cloud, "reboot")
    by = again(cloud, "hard_reboot", uuid)
    cloud.run()
    assert action_of(cloud, uuid, request_id).events[0].traceback == f"interrupted by reboot ({by})"
    assert steps(action_of(cloud, uuid, by)) == [("compute_reboot_instance", "Success")]


@pytest.mark.parametrize(
    ("old", "more", "new", "steps"),
    [
        ("backup", {}, "snapshot", ["image_snapshot", "image_pending_upload"]),
        ("rebuild", {"image": ImageMeta(id="another", name="another")}, "rebuild", []),
    ],
)
def test_a_copy_of_an_old_message_touches_nothing_that_was_asked_for_since(
    cloud: Cloud, old: str, more: dict[str, Any], new: str, steps: list[str]
):
    """Though the new operation passes the task_state that the old one waits for (seed 40008 of the simulation)."""
    uuid, _ = ask(cloud, old)
    copied, instance = open_operation(cloud.db, uuid), cloud.instance(uuid)
    cloud.run()
    request_id = again(cloud, new, uuid)
    cloud.lose_messages()
    asked, host = open_operation(cloud.db, uuid), ConductorAPI(cloud.peers[f"compute.{instance.host}"])
    for step in steps:
        host.update_instance(asked.context, cloud.instance(uuid), new, InstanceChanges(task_state=step))
    before = cloud.instance(uuid)

    compute = ComputeAPI(cloud.peers["conductor.ctl"]).on(instance.host)
    getattr(compute, f"{old}_instance")(copied.context, instance, **more)
    cloud.run()
    assert cloud.instance(uuid) == before
    assert cloud.denied() == []

    for _ in range(2):  # the first sees that it has moved on, the second that it has not since
        cloud.sweep()
    assert action_of(cloud, uuid, request_id).message is None
    assert cloud.show(uuid)["status"] == "ACTIVE"


@pytest.mark.parametrize("name", ["lock", "unlock"])
def test_an_operation_done_at_once_has_a_whole_action(cloud: Cloud, name: str):
    """An operation without a host's work gets its start, its one step and its end in one transaction."""
    uuid = cloud.boot()
    cloud.run()
    answer = cloud.request("POST", f"/servers/{uuid}/action", {name: None})
    action = action_of(cloud, uuid, answer.headers["x-openstack-request-id"])
    assert (action.action, steps(action)) == (name, [(f"api_{name}", "Success")])
