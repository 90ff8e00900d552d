"""A compute asks about an instance that is not on its hosts: not found if it came late, denied if it never had it."""

import pytest

from mininova import errors, rpc
from mininova.conductor.checks.own_instances import OwnInstances
from mininova.db import actions, endings
from mininova.trust.identities import compute


@pytest.fixture
def own(world):
    """Act for host-1."""
    return OwnInstances(world.db, lambda caller: compute("host-1"))


def missing(own, uuid):
    """Look for an instance that is not on the caller's hosts."""
    with own.only("get_instance", uuid):
        raise errors.InstanceNotFound(instance_uuid=uuid)


def refusal(own, uuid):
    """Give the error as the caller reads it, and the notes beside it for the operator."""
    with pytest.raises(rpc.Forbidden) as refused:
        missing(own, uuid)
    assert (refused.value.details["method"], refused.value.details["object"]) == ("get_instance", uuid)
    return str(refused.value).replace(uuid, "it"), refused.value.__notes__


def test_an_instance_that_never_was_there(world, own):
    """Another host's instance, one without a host and an unknown id get the same error; only the operator's note
    differs.
    """
    elsewhere, nowhere = world.new(host="host-2").uuid, world.new(host=None).uuid
    same = {refusal(own, uuid)[0] for uuid in (elsewhere, nowhere, "u-1")}
    assert len(same) == 1
    assert "never was on one of its hosts" in same.pop()
    assert refusal(own, elsewhere)[1] == ["it is on host-2"]
    assert refusal(own, nowhere)[1] == ["it is on no host"]
    assert refusal(own, "u-1")[1] == ["there is no such instance"]


def test_an_instance_that_was_deleted(world, own):
    """A host that repeats a finished delete gets InstanceNotFound; another host is denied."""
    own_uuid, anothers = world.new(host="host-1").uuid, world.new(host="host-2").uuid
    with world.db.write() as tx:
        for uuid in (own_uuid, anothers):
            endings.destroy(tx, uuid)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, own_uuid)
    assert refusal(own, anothers)[1] == ["it is on host-2"]


@pytest.mark.parametrize("deleted", [False, True], ids=["elsewhere", "gone"])
def test_an_instance_that_has_left(world, own, deleted):
    """A host that once failed to build the instance, and comes late, gets InstanceNotFound, also when it is deleted."""
    instance = world.new(host="host-2")
    with world.db.write() as tx:
        actions.event_start(tx, instance.uuid, "compute__do_build_and_run_instance", "host-1")
        if deleted:
            endings.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, instance.uuid)


def conflicting(own, conflict, generation=7):
    """Update with generation 7 an instance whose row is different."""
    with own.only("update_instance", "u-1", 7):
        raise conflict("no", actual_generation=generation, actual_task_state=None)


def test_an_update_that_comes_late(own):
    """A newer generation, or a delete, is a conflict: an honest compute may be late."""
    with pytest.raises(errors.InstanceUpdateConflict):
        conflicting(own, errors.InstanceUpdateConflict, generation=8)
    with pytest.raises(errors.InstanceBeingDeleted):
        conflicting(own, errors.InstanceBeingDeleted)


def test_an_update_that_contradicts_its_generation(own):
    """A compute that has the current generation knows the state; an update that contradicts it is denied."""
    with pytest.raises(rpc.Forbidden, match="as the caller knows"):
        conflicting(own, errors.InstanceUpdateConflict)


def test_without_identities_nothing_is_checked(world):
    """When all services share one broker user, the conductor cannot tell computes apart."""
    own = OwnInstances(world.db, None)
    assert (own.checked, own.hosts()) == (False, None)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, world.new(host="host-2").uuid)


def test_a_removed_identity_has_no_hosts(world):
    """An identity that was removed has no hosts."""
    assert OwnInstances(world.db, lambda caller: None).hosts() == ()
