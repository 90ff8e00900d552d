"""How failures and deletes end an operation: all tables at once, and only once."""

import pytest

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import actions, claims, endings, faults, instances, networks
from mininova.objects import Fault
from mininova.states import UNCOMPARED

CTXT = RequestContext()
FAULT = Fault(code=500, message="no room")


@pytest.fixture
def building(tx, an_instance, add_host, flavor):
    """An instance that host-1 is building, with room and an address."""
    add_host(tx, "host-1")
    (instance,) = instances.create(tx, [an_instance(host="host-1")])
    actions.start(tx, CTXT, [instance], "build", "host-1", due_after=30)
    claims.claim(tx, instance.uuid, "host-1", flavor)
    networks.allocate(tx, "flat", "10.0.0.0/24", instance.uuid)
    return instances.get(tx, instance.uuid)


def wait(tx, host="host-1"):
    """Name the instances whose addresses wait for a host."""
    return networks.departed(tx, host)


def holds_nothing(tx, uuid):
    """Tell whether an instance has neither room nor address."""
    return claims.of_instance(tx, uuid) is None and instances.get(tx, uuid, deleted=True).addresses == ()


def test_a_failed_build_without_a_host_holds_nothing(tx, building):
    """A build that fails leaves ERROR, a fault and a failed action, and no room or address."""
    taken = instances.update(
        tx, building.uuid, {"host": None}, generation=UNCOMPARED, expected_task_state=UNCOMPARED
    )  # fmt: skip
    failed = endings.fail(tx, taken, "build", FAULT)
    assert (failed.vm_state, failed.task_state) == (states.ERROR, None)
    assert holds_nothing(tx, building.uuid)
    assert faults.latest(tx, [building.uuid])[building.uuid].message == "no room"
    assert actions.get(tx, building.uuid, CTXT.request_id).message == "Error"


def test_a_failed_build_on_a_host_keeps_its_address(tx, building):
    """There may be something left of its guest, until the instance is deleted; its room is free."""
    endings.fail(tx, building, "build", FAULT)
    assert claims.of_instance(tx, building.uuid) is None
    assert instances.get(tx, building.uuid).addresses == building.addresses != ()


def test_the_address_of_a_delete_without_the_host_waits_for_it(tx, building):
    """The guest may live there; of a delete that the host has done, nothing is left to wait for."""
    endings.destroy(tx, building.uuid)
    assert holds_nothing(tx, building.uuid)
    assert wait(tx) == [building.uuid]


def test_a_failed_stop_keeps_the_room(tx, building):
    """A failed operation other than a build leaves the instance where it was, with its room and address."""
    on = instances.update(
        tx, building.uuid, {"vm_state": states.ACTIVE, "task_state": states.POWERING_OFF},
        generation=UNCOMPARED, expected_task_state=UNCOMPARED,
    )  # fmt: skip
    failed = endings.fail(tx, on, "stop", FAULT)
    assert (failed.vm_state, failed.task_state) == (states.ACTIVE, None)
    assert not holds_nothing(tx, building.uuid)


def test_a_delete_wins_over_a_failure(tx, building):
    """An instance that is being deleted gets no fault."""
    instances.update(
        tx, building.uuid, {"task_state": states.DELETING}, generation=UNCOMPARED, expected_task_state=UNCOMPARED
    )  # fmt: skip
    with pytest.raises(errors.InstanceBeingDeleted):
        endings.fail(tx, building, "build", FAULT)
    assert faults.latest(tx, [building.uuid]) == {}


def test_destroying_twice_is_destroying_once(tx, building):
    """The first time gives the instance as it was, the second says that nothing was left to do."""
    gone = endings.destroy(tx, building.uuid)
    row = instances.get(tx, building.uuid, deleted=True)
    assert gone == row.replace(updated_at=gone.updated_at)  # that its address is free was written after it
    assert endings.destroy(tx, building.uuid) is None
    assert holds_nothing(tx, building.uuid)


def test_a_host_ends_only_a_delete_that_is_under_way(tx, building):
    """If the host is given, the row must be on it and ``deleting``: else the row, its room and its address stay."""
    with pytest.raises(errors.InstanceUpdateConflict):
        endings.destroy(tx, building.uuid, host="host-1")
    instances.update(
        tx, building.uuid, {"task_state": states.DELETING}, generation=UNCOMPARED, expected_task_state=UNCOMPARED
    )  # fmt: skip
    with pytest.raises(errors.InstanceNotFound):
        endings.destroy(tx, building.uuid, host="host-2")
    assert not holds_nothing(tx, building.uuid)
    assert endings.destroy(tx, building.uuid, host="host-1")
    assert wait(tx) == []
    assert not endings.destroy(tx, building.uuid, host="host-1")
    with pytest.raises(errors.InstanceNotFound):
        endings.destroy(tx, building.uuid, host="host-2")
