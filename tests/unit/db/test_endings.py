"""How failures and deletes end an operation: all tables at once, and only once."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import actions, claims, endings, faults, instances, networks
from mininova.objects import Arguments, Fault
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


# ---- shelved instances


@pytest.fixture
def shelved(tx, building):
    """An instance that rests on host-1, shelved, with room, an address and the image of its shelving."""
    actions.finish(tx, building.uuid)
    at_rest = {"vm_state": states.ACTIVE, "task_state": states.SHELVING}
    begun = instances.update(tx, building.uuid, at_rest, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
    actions.start(tx, CTXT, [begun], "shelve", "host-1", arguments=Arguments(makes="its-image"), due_after=30)
    actions.finish(tx, begun.uuid)
    change = states.finish("shelve")
    return instances.update(tx, begun.uuid, change, generation=UNCOMPARED, expected_task_state=UNCOMPARED)


def begin(tx, instance, operation):
    """Begin an operation on an instance."""
    change, expected = states.begin(operation, instance), states.start_expects(operation)
    begun = instances.update(tx, instance.uuid, change, generation=instance.generation, expected_task_state=expected)
    actions.start(tx, CTXT, [begun], operation, begun.host, due_after=30)
    return begun


def test_an_offloaded_instance_is_on_no_host(tx, shelved):
    """Its room is free, its address its own, and its image known; a second copy of the message changes nothing."""
    begun = begin(tx, shelved, "shelve_offload")
    offloaded = endings.offload(tx, begun)
    assert (offloaded.vm_state, offloaded.task_state, offloaded.host) == (states.SHELVED_OFFLOADED, None, None)
    assert claims.of_instance(tx, shelved.uuid) is None
    assert instances.get(tx, shelved.uuid).addresses == shelved.addresses != ()
    assert actions.shelved_image(tx, shelved.uuid) == "its-image"
    with pytest.raises(errors.InstanceNotFound):
        endings.offload(tx, begun)


def test_what_is_not_being_offloaded_stays(tx, shelved):
    """A host cannot give away what was not asked of it."""
    with pytest.raises(errors.InstanceUpdateConflict):
        endings.offload(tx, shelved)
    assert claims.of_instance(tx, shelved.uuid).host == "host-1"


def test_an_unshelving_that_fails_leaves_no_host(tx, shelved):
    """The instance is offloaded as before, and has no room where it could not be made."""
    begin(tx, endings.offload(tx, begin(tx, shelved, "shelve_offload")), "unshelve")
    claims.claim(tx, shelved.uuid, "host-1", shelved.flavor)
    change = {"host": "host-1", "task_state": states.SPAWNING}
    placed = instances.update(tx, shelved.uuid, change, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
    failed = endings.fail(tx, placed, "unshelve", FAULT)
    assert (failed.vm_state, failed.task_state, failed.host) == (states.SHELVED_OFFLOADED, None, None)
    assert claims.of_instance(tx, shelved.uuid) is None


def test_since_when_an_instance_is_shelved(tx, shelved):
    """It is listed once its shelving ended long enough ago, while it rests there."""
    now = datetime.now(UTC)
    assert actions.at_rest_since(tx, "shelve", now - timedelta(minutes=1)) == []
    assert actions.at_rest_since(tx, "shelve", now + timedelta(minutes=1)) == [shelved.uuid]
    begin(tx, shelved, "unshelve")
    assert actions.at_rest_since(tx, "shelve", now + timedelta(minutes=1)) == []


def test_which_shelved_instances_have_no_image(tx, shelved):
    """Those whose latest shelving made none, while they rest."""
    assert actions.shelved_on_volumes(tx) == []
    actions.start(tx, CTXT, [shelved], "shelve", "host-1", due_after=30)
    actions.finish(tx, shelved.uuid)
    assert actions.shelved_on_volumes(tx) == [shelved.uuid]
    begin(tx, shelved, "unshelve")
    assert actions.shelved_on_volumes(tx) == []
