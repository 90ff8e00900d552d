"""The one table of states: every state, every operation."""

from itertools import product

import pytest

from mininova import errors, states
from mininova.states import OPERATIONS

TASK_STATES = [None, *dict.fromkeys(step for op in OPERATIONS.values() for step in op.passes)]


class Thing:
    """Has a state."""

    def __init__(self, vm_state, task_state=None):
        self.uuid, self.vm_state, self.task_state = "u", vm_state, task_state


EVERYWHERE = list(product(OPERATIONS, sorted(states.VM_STATES), TASK_STATES))


@pytest.mark.parametrize(("operation", "vm_state", "task_state"), EVERYWHERE)
def test_an_operation_starts_from_its_states_and_no_other(operation, vm_state, task_state):
    """From anywhere else it is a conflict that names the state in the way."""
    op = OPERATIONS[operation]
    idle = op.over is None or task_state is None or task_state in op.over
    thing = Thing(vm_state, task_state)

    if vm_state in op.starts and idle:
        assert states.begin(operation, thing) == {"task_state": op.passes[0]}
    else:
        with pytest.raises(errors.InstanceInvalidState) as caught:
            states.begin(operation, thing)
        attr, state = ("vm_state", vm_state) if vm_state not in op.starts else ("task_state", task_state)
        assert str(caught.value) == f"Cannot '{op.action}' instance u while it is in {attr} {state}"
        assert caught.value.http_status == 409


@pytest.mark.parametrize(("operation", "task_state"), list(product(OPERATIONS, TASK_STATES)))
def test_what_begin_allows_the_first_compare_and_swap_accepts(operation, task_state):
    """The API's refusal and the database's are the same."""
    op, expects = OPERATIONS[operation], states.start_expects(operation)
    vm_state = min(op.starts)
    try:
        states.begin(operation, Thing(vm_state, task_state))
        allowed = True
    except errors.InstanceInvalidState:
        allowed = False

    assert allowed == (expects is None or task_state in expects)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_ends_at_rest(operation):
    """Well or badly, nothing is under way any more, and the vm_state is one there is."""
    for change in states.finish(operation), states.fail(operation):
        assert change["task_state"] is None
        assert change.get("vm_state", states.ACTIVE) in states.VM_STATES


def test_a_task_state_belongs_to_one_operation():
    """So that it says what is being done; none is nobody's."""
    for task_state in TASK_STATES[1:]:
        owners = [name for name, op in OPERATIONS.items() if task_state in op.passes]
        assert owners == [states.operation_of(task_state)]
    assert states.operation_of(None) is None
    assert states.operation_of("dancing") is None


def test_a_delete_starts_over_whatever_is_going_on():
    """Delete always wins, except over a delete that is done."""
    for vm_state, task_state in product(states.ANY, TASK_STATES):
        assert states.begin("delete", Thing(vm_state, task_state)) == {"task_state": states.DELETING}
    with pytest.raises(errors.InstanceInvalidState):
        states.begin("delete", Thing(states.DELETED))


def test_a_step_is_expected_in_any_of_its_operations_task_states():
    """The generation keeps the order; the task_state says only that nobody took over."""
    assert states.under_way("build") == ("scheduling", "networking", "block_device_mapping", "spawning")
