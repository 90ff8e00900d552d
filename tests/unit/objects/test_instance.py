"""Which fields of an instance a compute node may change."""

import msgspec

from mininova.objects import Instance, InstanceChanges


def test_a_compute_node_may_write_states_and_nothing_that_is_owned():
    """The list is closed: an instance's owner, host and size are not in it."""
    assert set(InstanceChanges.__struct_fields__) == {
        "vm_state",
        "task_state",
        "power_state",
        "progress",
        "launched_at",
    }


def test_changes_have_fields_of_an_instance():
    """Every field of the changes is one of the instance, and may be left out."""
    fields = {field.name: field for field in msgspec.structs.fields(InstanceChanges)}

    assert set(fields) <= set(Instance.__struct_fields__)
    assert all(field.default is msgspec.UNSET for field in fields.values())
