"""What a compute node may change of an instance."""

import msgspec

from mininova.objects import Instance, InstanceChanges


def test_a_compute_node_may_write_states_and_nothing_that_is_owned():
    """The list is closed: who owns an instance, where it is and how big it is are not in it."""
    assert set(InstanceChanges.__struct_fields__) == {
        "vm_state",
        "task_state",
        "power_state",
        "progress",
        "launched_at",
    }


def test_what_may_be_changed_is_of_an_instance():
    """Every field of the changes is one of the instance, and may be left alone."""
    fields = {field.name: field for field in msgspec.structs.fields(InstanceChanges)}

    assert set(fields) <= set(Instance.__struct_fields__)
    assert all(field.default is msgspec.UNSET for field in fields.values())
