"""Writing of its own instance what is not a compute's to write."""

import pytest

from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
UPDATE = "update_instance"


def _uuid(instance):
    return instance["versioned_object.data"]["uuid"]


@pytest.fixture
def update(attacker, mine):
    """Give a function that writes fields of the attacker's own instance."""

    def update(instance=mine, operation=None, **fields):
        changes = own_object("InstanceChanges", **fields)
        return attacker.ask(UPDATE, {"instance": instance, "operation": operation, "changes": changes})

    return update


@pytest.mark.parametrize(
    "field",
    [
        {"host": "host-2"}, {"node": "host-2"}, {"project_id": "another"}, {"user_id": "another"}, {"uuid": "another"},
        {"flavor": {"vcpus": 64}}, {"flavor_id": "m1.xlarge"}, {"deleted": True}, {"generation": 99},
        {"addresses": []}, {"metadata": {"a": "b"}}, {"locked": True}, {"display_name": "another"}, {"id": 1},
        {"availability_zone": "another"}, {"created_at": "2000-01-01T00:00:00Z"}, {"user_data": "IyEvYmluL3No"},
        {"terminated_at": "2000-01-01T00:00:00Z"}, {"image_ref": "another"}, {"reservation_id": "r-another"},
    ],
    ids=lambda field: next(iter(field)),
)  # fmt: skip
def test_fields(update, observe, mine, field):
    """Writes its own instance's host, project, flavor, `deleted` or any other field that is not on the list."""
    with observe(_uuid(mine)):
        update(**field)


@pytest.mark.parametrize(
    "fields",
    [
        {"vm_state": "deleted"}, {"vm_state": "building"}, {"vm_state": "rescued"}, {"vm_state": ""},
        {"task_state": "deleting"}, {"task_state": "scheduling"}, {"task_state": "rebooting"}, {"task_state": "x" * 40},
        {"power_state": 99}, {"power_state": -1}, {"progress": 101}, {"progress": -1},
        {"vm_state": "building", "task_state": "scheduling"},
    ],
    ids=str,
)  # fmt: skip
def test_values(update, observe, mine, fields):
    """Writes a state that no operation under way leads to, or that does not exist."""
    with observe(_uuid(mine)):
        update(**fields)


@pytest.mark.parametrize(
    ("operation", "fields"),
    [("resize", {"power_state": 4}), ("stop", {"vm_state": "stopped", "task_state": None, "power_state": 4})],
    ids=["unknown", "unasked"],
)
def test_operations(update, observe, mine, operation, fields):
    """Writes in the name of an operation that does not exist, or that was not asked for."""
    with observe(_uuid(mine)):
        update(operation=operation, **fields)


@pytest.mark.parametrize("launched_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_when_it_was_launched(update, observe, mine, launched_at):
    """Says that its instance, which runs, was launched long ago or in years to come: its owner would pay for that."""
    with observe(_uuid(mine)):
        update(launched_at=launched_at)


@pytest.mark.parametrize("generation", [0, 1, 2, 99])
def test_an_old_or_future_generation(update, observe, mine, generation):
    """Sends an update with a generation that its instance had, or will have."""
    with observe():
        update(changed(mine, generation=generation), vm_state="stopped", power_state=4)


@pytest.mark.parametrize("states", [{"vm_state": "error"}, {"task_state": "spawning"}], ids=lambda it: next(iter(it)))
def test_other_states_before(update, observe, mine, states):
    """Sends an update of an instance that was in another state, as listeners would then be notified."""
    with observe():
        update(changed(mine, **states), vm_state="stopped", power_state=4)


@pytest.mark.parametrize("generation", [-1, 2**62])
def test_an_impossible_generation(update, observe, mine, generation):
    """Sends an update with a generation that no instance ever has."""
    with observe(_uuid(mine)):
        update(changed(mine, generation=generation), vm_state="stopped", power_state=4)


@pytest.mark.parametrize("method", ["update_instance", "allocate_network", "fail_instance"])
def test_a_replay(attacker, observe, mine, method):
    """Sends again, word for word, what its host sent once while it built the instance."""
    old = changed(mine, generation=1, task_state="scheduling", vm_state="building")
    args = {
        "update_instance": {
            "changes": own_object("InstanceChanges", task_state="spawning"),
            "operation": "build",
        },
        "allocate_network": {},
        "fail_instance": {"operation": "build", "fault": FAULT},
    }[method]
    with observe():
        attacker.ask(method, {"instance": old, **args})


def test_destroy(attacker, observe, mine):
    """Says that its instance is gone, although no delete was asked for: its owner would lose it."""
    with observe(_uuid(mine)):
        attacker.ask("destroy_instance", {"instance": mine})


@pytest.mark.parametrize("operation", ["build", "delete", "stop", "reboot"])
def test_fail(attacker, observe, mine, operation):
    """Reports that an operation failed which is not under way on its instance."""
    args = {"instance": mine, "operation": operation, "fault": FAULT}
    with observe(_uuid(mine)):
        attacker.ask("fail_instance", args)


@pytest.mark.parametrize("operation", ["nothing of that name", "", "__class__"])
def test_fail_what_there_is_not(attacker, observe, mine, operation):
    """Reports that an operation failed which does not exist."""
    args = {"instance": mine, "operation": operation, "fault": FAULT}
    with observe(_uuid(mine)):
        attacker.ask("fail_instance", args)


def test_network(attacker, observe, mine):
    """Asks for another address for its instance, which is built already."""
    with observe(_uuid(mine)):
        attacker.ask("allocate_network", {"instance": mine})


def test_move(attacker, observe, mine):
    """Gives its instance, which runs, back to be built elsewhere."""
    args = {"instance": mine, "fault": FAULT}
    with observe(_uuid(mine)):
        attacker.cast("reschedule_instance", args)
