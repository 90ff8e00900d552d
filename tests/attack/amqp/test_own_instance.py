"""Writing of its own instance what is not a compute's to write."""

import pytest

from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
UPDATE = "update_instance"
NOT_SO = "`InstanceUpdateConflict`: the row is not so"


def _uuid(instance):
    return instance["versioned_object.data"]["uuid"]


@pytest.fixture
def update(attacker, mine):
    """Give a function that writes fields of the attacker's own instance."""

    def update(instance=mine, operation=None, **fields):
        changes = own_object("InstanceChanges", **fields)
        return attacker.ask(UPDATE, {"instance": instance, "operation": operation, "changes": changes})

    return update


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
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
def test_fields(update, refused, mine, field):
    """Writes its own instance's host, project, flavor, `deleted` or any other field that is not on the list."""
    refused.by_conductor(update(**field), UPDATE, _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
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
def test_values(update, refused, mine, fields):
    """Writes a state that nothing under way leads to, or that there is not."""
    refused.by_conductor(update(**fields), UPDATE, _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("launched_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_when_it_was_launched(update, refused, mine, launched_at):
    """Says that its instance, which runs, was launched long ago or will be some day: its owner would pay for that."""
    refused.by_conductor(update(launched_at=launched_at), UPDATE, _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`InstanceUpdateConflict`")
@pytest.mark.parametrize("generation", [0, 1, 2, 99])
def test_an_old_or_future_generation(update, refused, mine, generation):
    """Sends an update that was right once, or may be some day."""
    answer = update(changed(mine, generation=generation), vm_state="stopped", power_state=4)
    refused.as_unreadable(answer, "InstanceUpdateConflict")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("generation", [-1, 2**62])
def test_an_impossible_generation(update, refused, mine, generation):
    """Sends an update with a generation that no instance ever has."""
    answer = update(changed(mine, generation=generation), vm_state="stopped", power_state=4)
    refused.by_conductor(answer, UPDATE, _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees=NOT_SO)
@pytest.mark.parametrize("method", ["update_instance", "allocate_network", "fail_instance"])
def test_a_replay(attacker, refused, mine, method):
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
    refused.as_unreadable(attacker.ask(method, {"instance": old, **args}), "InstanceUpdateConflict")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_destroy(attacker, refused, mine):
    """Says that its instance is gone, though nobody deletes it: its owner would lose it."""
    refused.by_conductor(attacker.ask("destroy_instance", {"instance": mine}), "destroy_instance", _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("operation", ["build", "delete", "stop", "reboot"])
def test_fail(attacker, refused, mine, operation):
    """Ends an operation badly that is not under way on its instance."""
    args = {"instance": mine, "operation": operation, "fault": FAULT}
    refused.by_conductor(attacker.ask("fail_instance", args), "fail_instance", _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("operation", ["nothing of that name", "", "__class__"])
def test_fail_what_there_is_not(attacker, refused, mine, operation):
    """Ends an operation badly that there is not."""
    args = {"instance": mine, "operation": operation, "fault": FAULT}
    refused.by_conductor(attacker.ask("fail_instance", args), "fail_instance", _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_network(attacker, refused, mine):
    """Has another address lent to its instance, which is built already."""
    refused.by_conductor(attacker.ask("allocate_network", {"instance": mine}), "allocate_network", _uuid(mine))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_move(attacker, refused, mine):
    """Gives its instance, which runs, back to be built elsewhere."""
    args = {"instance": mine, "fault": FAULT}
    refused.by_conductor(attacker.cast("reschedule_instance", args), "reschedule_instance", _uuid(mine))
