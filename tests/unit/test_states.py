"""The table of states: every state, every operation."""

from datetime import UTC, datetime
from itertools import product

import pytest

from mininova import errors, states
from mininova.objects import InstanceChanges
from mininova.states import OPERATIONS, unlawful

TASK_STATES = [None, *dict.fromkeys(step for op in OPERATIONS.values() for step in op.passes)]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Thing:
    """Has a state."""

    def __init__(self, vm_state, task_state=None, launched_at=EPOCH):
        self.uuid, self.vm_state, self.task_state, self.launched_at = "u", vm_state, task_state, launched_at


@pytest.mark.parametrize("operation", sorted(states.MUST_HAVE_LAUNCHED))
def test_what_could_not_be_built_is_not_started(operation):
    """An instance whose build failed has no room and no volumes: nothing but a delete helps it."""
    assert states.begin(operation, Thing(states.ERROR))["task_state"]
    with pytest.raises(errors.InstanceInvalidState, match="is in an invalid state for"):
        states.begin(operation, Thing(states.ERROR, launched_at=None))
    assert states.begin("delete", Thing(states.ERROR, launched_at=None)) == {"task_state": states.DELETING}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_starts_from_its_states_and_no_other(operation):
    """From any other state it is a conflict, which names the state."""
    op = OPERATIONS[operation]
    for vm_state, task_state in product(sorted(states.VM_STATES), TASK_STATES):
        idle = op.over is None or task_state is None or task_state in op.over
        thing = Thing(vm_state, task_state)
        if vm_state in op.starts and idle:
            assert states.begin(operation, thing) == {"task_state": op.passes[0]}
        else:
            with pytest.raises(errors.InstanceInvalidState) as caught:
                states.begin(operation, thing)
            attr, state = ("vm_state", vm_state) if vm_state not in op.starts else ("task_state", task_state)
            method = "os-migrateLive" if operation == "live_migrate" else op.action
            assert str(caught.value) == f"Cannot '{method}' instance u while it is in {attr} {state}"
            assert caught.value.http_status == 409


@pytest.mark.parametrize("operation", OPERATIONS)
def test_begin_and_the_first_compare_and_swap_allow_the_same(operation):
    """The API and the database allow the same states."""
    op, expects = OPERATIONS[operation], states.start_expects(operation)
    for task_state in TASK_STATES:
        try:
            states.begin(operation, Thing(min(op.starts), task_state))
            allowed = True
        except errors.InstanceInvalidState:
            allowed = False
        assert allowed == (expects is states.UNCOMPARED or task_state in expects), task_state


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_ends_at_rest(operation):
    """After its end, good or bad, no task is under way, and the vm_state exists."""
    for change in states.finish(operation), states.fail(operation):
        assert change["task_state"] is None
        assert change.get("vm_state", states.ACTIVE) in states.VM_STATES


def test_the_states_of_an_instance_tell_how_its_operation_fails():
    """Operations that share a task state, and a vm_state to start from, fail alike; None belongs to none."""
    for vm_state, task_state in product(states.VM_STATES, TASK_STATES[1:]):
        owners = [name for name, op in OPERATIONS.items() if task_state in op.passes and vm_state in op.starts]
        assert states.operation_of(vm_state, task_state) in (owners or [None])
        assert len({str(states.fail(name)) for name in owners}) <= 1
    assert states.operation_of(states.ACTIVE, None) is None
    assert states.operation_of(states.ACTIVE, "dancing") is None


def test_a_delete_starts_in_every_task_state():
    """A delete starts from every task state, except a delete that is done."""
    for vm_state, task_state in product(states.ANY, TASK_STATES):
        assert states.begin("delete", Thing(vm_state, task_state)) == {"task_state": states.DELETING}
    with pytest.raises(errors.InstanceInvalidState):
        states.begin("delete", Thing(states.DELETED))


def test_a_step_is_expected_in_any_of_its_operations_task_states():
    """The generation keeps the order; the task state shows only that no other operation took over."""
    assert states.under_way("build") == ("scheduling", "networking", "block_device_mapping", "spawning")


# ---- what a host may write


def test_a_host_does_not_write_that_an_instance_left_it():
    """The end of an offload frees its room, too, so it is a message of its own."""
    assert unlawful("shelve_offload", {"task_state": states.SHELVING_OFFLOADING}) == ""
    assert unlawful("shelve_offload", states.finish("shelve_offload")) != ""


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - states.NO_UPDATES - {"shelve_offload"}))
def test_the_steps_of_an_operation(operation):
    """Every step of an operation, and its good end, may be written while it is under way."""
    passes = states.under_way(operation)
    for step in passes[1:] or passes:
        assert unlawful(operation, {"task_state": step}) == ""
    assert unlawful(operation, {**states.finish(operation), "power_state": 1, "progress": 100}) == ""


def test_the_end_of_a_build_has_its_moment():
    """A build has the time when the guest was launched, and no other operation has."""
    now = datetime.now(UTC)
    assert unlawful("build", {**states.finish("build"), "launched_at": now}) == ""
    assert "launched_at" in unlawful("stop", {**states.finish("stop"), "launched_at": now})


@pytest.mark.parametrize("rests", [{"vm_state": "stopped"}, {"vm_state": "error"}, {}])
def test_what_a_host_may_find(rests):
    """A guest without an operation may be found stopped or missing."""
    assert unlawful(None, {**rests, "power_state": 4}) == ""


@pytest.mark.parametrize(
    ("operation", "changes", "why"),
    [
        ("build", {"vm_state": "active"}, "vm_state"),
        ("build", {"vm_state": "deleted", "task_state": None}, "vm_state may not become deleted"),
        ("build", {"vm_state": "error", "task_state": None}, "vm_state may not become error"),
        ("build", {"task_state": None}, "ends with its vm_state"),
        ("build", {"task_state": "deleting"}, "task_state may not become deleting"),
        ("build", {"task_state": "scheduling"}, "task_state may not become scheduling"),
        ("build", {"task_state": "powering-off"}, "task_state may not become powering-off"),
        ("build", {"task_state": "nonsense"}, "task_state"),
        ("build", {"power_state": 2}, "power_state may not become 2"),
        ("build", {"progress": 101}, "progress may not become 101"),
        ("build", {"progress": -1}, "progress"),
        (None, {"vm_state": "active"}, "while nothing is under way, vm_state may not become active"),
        (None, {"vm_state": "building"}, "vm_state"),
        (None, {"task_state": "spawning"}, "task_state"),
        (None, {"launched_at": datetime.now(UTC)}, "launched_at"),
        ("delete", {"vm_state": "deleted", "task_state": None}, "while delete is under way, vm_state"),
        ("delete", {"power_state": 1}, "while delete is under way, power_state"),
        (None, {}, "it changes nothing"),
        ("resize", {"task_state": "resize_finish"}, "while resize is under way, task_state"),
        ("confirm_resize", {"vm_state": "active", "task_state": None}, "while confirm_resize is under way, vm_state"),
        ("dance", {"power_state": 1}, "there is no operation dance"),
        ("", {"power_state": 1}, "there is no operation"),
    ],
)
def test_what_a_host_may_not_write(operation, changes, why):
    """A host may not write states of other operations, ends that are not its own, or invalid values."""
    assert why in unlawful(operation, changes)


def test_each_field_that_a_host_may_write_has_its_time():
    """Each field of InstanceChanges is written in some operation, or it need not be sent."""
    values = {
        "vm_state": "active",
        "task_state": None,
        "power_state": 1,
        "progress": 1,
        "launched_at": datetime.now(UTC),
    }
    assert set(InstanceChanges.__struct_fields__) == set(values)
    assert unlawful("build", values) == ""
