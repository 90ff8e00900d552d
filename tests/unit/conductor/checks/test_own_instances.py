"""Who asks about what is not on its hosts: the late are told that there is nothing, and strangers are denied."""

import pytest

from mininova import errors, rpc
from mininova.conductor.checks.own_instances import OwnInstances
from mininova.db import actions, endings
from mininova.trust.identities import compute


@pytest.fixture
def own(world):
    """Speak for host-1."""
    return OwnInstances(world.db, lambda caller: compute("host-1"))


def missing(own, uuid):
    """Have somebody look for an instance, and not find it on its hosts."""
    with own.only("get_instance", uuid):
        raise errors.InstanceNotFound(instance_uuid=uuid)


def refusal(own, uuid):
    """Give what is refused, as the caller hears it, and what the operator reads beside it."""
    with pytest.raises(rpc.Forbidden) as refused:
        missing(own, uuid)
    assert (refused.value.details["method"], refused.value.details["object"]) == ("get_instance", uuid)
    return str(refused.value).replace(uuid, "it"), refused.value.__notes__


def test_what_never_was_there(world, own):
    """Another's, what has no host yet and what there is not are refused alike; the operator is told which it was."""
    elsewhere, nowhere = world.new(host="host-2").uuid, world.new(host=None).uuid
    same = {refusal(own, uuid)[0] for uuid in (elsewhere, nowhere, "u-1")}
    assert len(same) == 1
    assert "never was on one of its hosts" in same.pop()
    assert refusal(own, elsewhere)[1] == ["it is on host-2"]
    assert refusal(own, nowhere)[1] == ["it is on no host"]
    assert refusal(own, "u-1")[1] == ["there is no such instance"]


def test_what_was_deleted(world, own):
    """A host whose delete was done already, and which asks for it once more, is told that there is no instance."""
    own_uuid, anothers = world.new(host="host-1").uuid, world.new(host="host-2").uuid
    with world.db.write() as tx:
        for uuid in (own_uuid, anothers):
            endings.destroy(tx, uuid)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, own_uuid)
    assert refusal(own, anothers)[1] == ["it is on host-2"]


@pytest.mark.parametrize("deleted", [False, True], ids=["elsewhere", "gone"])
def test_what_has_left(world, own, deleted):
    """A host that could not build an instance, and asks late, is told that there is none, whatever became of it."""
    instance = world.new(host="host-2")
    with world.db.write() as tx:
        actions.event_start(tx, instance.uuid, "compute__do_build_and_run_instance", "host-1")
        if deleted:
            endings.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, instance.uuid)


def conflicting(own, conflict, generation=7):
    """Have somebody who knows generation 7 ask for what meets a row that is not so."""
    with own.only("update_instance", "u-1", 7):
        raise conflict("no", actual_generation=generation, actual_task_state=None)


def test_who_is_late(own):
    """The row has another generation, or a delete came: that happens to the honest."""
    with pytest.raises(errors.InstanceUpdateConflict):
        conflicting(own, errors.InstanceUpdateConflict, generation=8)
    with pytest.raises(errors.InstanceBeingDeleted):
        conflicting(own, errors.InstanceBeingDeleted)


def test_who_knows_better(own):
    """One that knows the generation knows what is done to the instance; to ask for something else is no race."""
    with pytest.raises(rpc.Forbidden, match="as the caller knows"):
        conflicting(own, errors.InstanceUpdateConflict)


def test_where_nothing_is_checked(world):
    """On a broker that all share with one user, nobody can be told from another."""
    own = OwnInstances(world.db, None)
    assert (own.checked, own.hosts()) == (False, None)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, world.new(host="host-2").uuid)


def test_who_is_nobody_has_no_hosts(world):
    """An identity that was removed meanwhile stands for nothing."""
    assert OwnInstances(world.db, lambda caller: None).hosts() == ()
