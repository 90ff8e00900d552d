"""The checks after a storm: a cloud that agrees, and each thing that may be wrong with it."""

from types import SimpleNamespace

import pytest
from storm.checks import Seen, disagreements
from storm.clients import ACKNOWLEDGED, REFUSED, UNKNOWN, Request

from mininova import states

A, B = "aaaa", "bbbb"


class World:
    """Two servers: A was booted and stopped, B was booted and deleted."""

    def __init__(self):
        self.requests = [
            asked("boot", "storm-1", "req-1", count=2),
            asked("stop", A, "req-2"),
            asked("start", A, "req-3", outcome=REFUSED),
            asked("delete", B, "req-4"),
        ]
        self.seen = Seen(
            instances={
                A: instance(A, vm_state=states.STOPPED, power_state=states.SHUTDOWN, display_name="storm-1-1"),
                B: instance(B, vm_state=states.DELETED, deleted=True, display_name="storm-1-2"),
            },
            actions={
                A: [action(1, A, "build", "req-1"), action(2, A, "stop", "req-2")],
                B: [action(3, B, "build", "req-1"), action(4, B, "delete", "req-4")],
            },
            claims={A: SimpleNamespace(instance_uuid=A, host="host-1", vcpus=1, memory_mb=512, disk_gb=1)},
            addresses=[SimpleNamespace(instance_uuid=A, address="10.0.0.2")],
            nodes=[SimpleNamespace(host="host-1", vcpus_used=1, memory_mb_used=512, local_gb_used=1)],
            guests={A: [("host-1", states.SHUTDOWN)]},
        )

    @property
    def wrong(self):
        """Say what is wrong, in one text."""
        return "\n".join(found.line for found in disagreements(self.seen, self.requests))


def asked(operation, subject, request_id, *, outcome=ACKNOWLEDGED, count=1):
    """Make a request."""
    return Request(1, operation, subject, count, outcome, "said", request_id)


def instance(uuid, **columns):
    """Make the row of an instance."""
    usual = {"vm_state": states.ACTIVE, "task_state": None, "power_state": states.RUNNING, "deleted": False}
    return SimpleNamespace(uuid=uuid, host="host-1", **{**usual, **columns})


def action(number, uuid, operation, request_id, **columns):
    """Make the row of an action that went well."""
    usual = {"message": None, "finish_time": "now", "due_at": None, "action": operation}
    its = {"id": number, "instance_uuid": uuid, "operation": operation, "request_id": request_id}
    return SimpleNamespace(**its, **{**usual, **columns})


@pytest.fixture
def world():
    """Give a world in which all agrees."""
    return World()


def test_a_cloud_that_agrees(world):
    """Nothing is wrong with it."""
    assert world.wrong == ""


def test_an_operation_that_is_open(world):
    """It has not ended."""
    world.seen.actions[A][1].due_at = "later"
    assert "an operation is still open" in world.wrong


@pytest.mark.parametrize("half", [{"task_state": states.POWERING_OFF}, {"vm_state": states.BUILDING}])
def test_an_instance_that_is_half_done(world, half):
    """It is in BUILD or has a task, and nothing goes on."""
    vars(world.seen.instances[A]).update(half)
    assert "with nothing under way" in world.wrong


def test_a_state_that_no_operation_left(world):
    """Its stop went well, and it is active."""
    vars(world.seen.instances[A]).update(vm_state=states.ACTIVE, power_state=states.RUNNING)
    world.seen.guests[A] = [("host-1", states.RUNNING)]
    assert "it is active, and not stopped" in world.wrong


def test_a_stop_that_failed_may_have_stopped_it(world):
    """Its host did it and could not tell: both states are right."""
    world.seen.actions[A][1].message = "Error"
    assert world.wrong == ""


def test_a_build_that_its_second_host_could_do(world):
    """The action says Error, as in Nova, and its last step went well."""
    world.seen.actions[A][0].message = "Error"
    world.seen.steps[1] = SimpleNamespace(result="Success", traceback=None)
    assert world.wrong == ""


def test_an_error_without_a_reason(world):
    """Its owner must be able to read why."""
    vars(world.seen.instances[A]).update(vm_state=states.ERROR)
    assert "its fault says None" in world.wrong


def test_an_acknowledged_request_that_was_not_recorded(world):
    """It was lost, and so were the instances of a boot."""
    del world.seen.actions[A][1]
    assert "an acknowledged stop was not recorded: req-2" in world.wrong
    world.requests.append(asked("boot", "storm-2", "req-9"))
    assert "0 instances were made for a boot of 1" in world.wrong


def test_a_refused_request_that_was_done(world):
    """It may be recorded as one that failed, where its host took no message; it must not have happened."""
    world.seen.actions[A].append(action(5, A, "start", "req-3", message="Error"))
    assert world.wrong == ""
    world.seen.actions[A][-1].message = None
    assert "a refused start was done: req-3" in world.wrong


def test_a_boot_that_is_unknown_happens_as_a_whole(world):
    """All of its instances are there, or none."""
    world.requests.append(asked("boot", "storm-2", "", outcome=UNKNOWN, count=2))
    assert world.wrong == ""
    world.seen.instances["cccc"] = instance("cccc", vm_state=states.DELETED, deleted=True, display_name="storm-2-1")
    assert "1 instances were made for a boot of 2" in world.wrong


def test_an_acknowledged_delete_that_did_not_happen(world):
    """The instance is there still."""
    world.seen.instances[B].deleted = False
    assert "an acknowledged delete left it deleted: req-4" in world.wrong


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ([], "no host"),
        ([("host-2", states.SHUTDOWN)], "host-2"),
        ([("host-1", states.SHUTDOWN), ("host-2", states.SHUTDOWN)], "host-1, host-2"),
    ],
)
def test_a_guest_that_is_not_just_on_its_host(world, where, said):
    """There is none, it is elsewhere, or there are two."""
    world.seen.guests[A] = where
    assert f"its guests are on {said}" in world.wrong


def test_a_guest_in_another_power_state(world):
    """The row says that it is off, and it runs."""
    world.seen.guests[A] = [("host-1", states.RUNNING)]
    assert "its power state 4, that of its guest 1" in world.wrong


def test_guests_of_what_is_gone(world):
    """One of a deleted instance, and one that was never an instance."""
    world.seen.guests |= {B: [("host-1", states.RUNNING)], "dddd": [("host-1", states.RUNNING)]}
    assert "it is deleted on host-1, and its guests are on host-1" in world.wrong
    assert "a guest on host-1 has no instance" in world.wrong


def test_claims_and_addresses_of_what_is_gone(world):
    """Both belong to live instances, and the host's sum is theirs."""
    world.seen.claims[B] = SimpleNamespace(instance_uuid=B, host="host-1", vcpus=1, memory_mb=512, disk_gb=1)
    world.seen.addresses.append(SimpleNamespace(instance_uuid=B, address="10.0.0.3", is_users=False))
    world.seen.addresses.append(SimpleNamespace(instance_uuid=None, address="10.0.0.4", is_users=True))
    assert "host-1 has room for what is gone" in world.wrong
    assert "the address 10.0.0.3 is lent to what is gone" in world.wrong
    assert not any("10.0.0.4" in it for it in world.wrong)  # a port of a user's stays
    assert "memory_mb_used is 512, and 1024 are claimed" in world.wrong


class Resized(World):
    """A was resized after that: it is on host-2, and its guest on host-1 is kept."""

    def __init__(self):
        super().__init__()
        self.requests.append(asked("resize", A, "req-5"))
        self.seen.actions[A].append(action(5, A, "resize", "req-5"))
        vars(self.seen.instances[A]).update(vm_state=states.RESIZED, host="host-2")
        self.migration = SimpleNamespace(uuid="mmmm", status="finished", source_compute="host-1")
        self.seen.migrations[A] = self.migration
        self.seen.claims["mmmm"] = self.seen.claims[A]
        self.seen.claims[A] = SimpleNamespace(instance_uuid=A, host="host-2", vcpus=1, memory_mb=2048, disk_gb=20)
        self.seen.nodes.append(SimpleNamespace(host="host-2", vcpus_used=1, memory_mb_used=2048, local_gb_used=20))
        self.seen.guests[A].append(("host-2", states.SHUTDOWN))


def test_a_resized_instance_has_two_guests_and_room_for_both():
    """One of them is kept, stopped, where it came from."""
    world = Resized()
    assert world.wrong == ""
    world.seen.guests[A][0] = ("host-1", states.RUNNING)
    assert "the guest that is kept of it runs" in world.wrong
    del world.seen.guests[A][0]
    assert "it is resized on host-2, and its guests are on host-2" in world.wrong
    del world.seen.claims["mmmm"]
    assert "it may go back to host-1, and no host has room for it" in world.wrong
    del world.seen.migrations[A]
    assert "it is resized, and its migration is none" in world.wrong


def test_what_a_migration_leaves(world):
    """Room that is kept for none, a migration that is open, and a guest of which its host says nothing."""
    world.seen.left = [(A, "host-2")]
    assert "host-2 has not said that nothing is left of it there" in world.wrong
    world.seen.claims["mmmm"] = world.seen.claims[A]
    assert "mmmm: host-1 has room for what is gone" in world.wrong
    world.seen.migrations[A] = SimpleNamespace(uuid="mmmm", status="running", source_compute="host-1")
    assert "it is stopped, and its migration is running" in world.wrong


def test_a_migration_that_failed_on_its_way(world):
    """The instance is as it was, or in ERROR, and then maybe without a guest."""
    world.requests.append(asked("migrate", A, "req-5"))
    world.seen.actions[A].append(action(5, A, "migrate", "req-5", message="Error"))
    assert world.wrong == ""
    vars(world.seen.instances[A]).update(vm_state=states.ERROR)
    world.seen.faults[A] = "Its host host-2 is down"
    world.seen.guests.clear()
    assert world.wrong == ""


def test_an_instance_without_a_claim(world):
    """It rests on a host that has no room for it."""
    del world.seen.claims[A]
    assert "it is stopped on host-1 without a claim" in world.wrong
