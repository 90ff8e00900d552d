"""Who asks about what is not on its hosts: the late are told that there is nothing, and strangers are denied."""

import pytest

from mininova import errors, rpc
from mininova.conductor.own_instances import OwnInstances
from mininova.db import request_specs
from mininova.db.request_specs import Recorded
from mininova.identities import compute


@pytest.fixture
def own(world):
    """Speak for host-1."""
    return OwnInstances(world.db, lambda caller: compute("host-1"))


def missing(own, uuid):
    """Have somebody look for an instance, and not find it on its hosts."""
    with own.only("get_instance", uuid):
        raise errors.InstanceNotFound(instance_uuid=uuid)


def test_what_is_not_there_at_all(own):
    """There is nothing to be denied."""
    with pytest.raises(errors.InstanceNotFound):
        missing(own, "u-1")


@pytest.mark.parametrize("host", ["host-2", None])
def test_what_never_was_there(world, own, host):
    """Asking for another's, or for what has no host yet, is a denial that names the instance."""
    uuid = world.new(host=host).uuid
    with pytest.raises(rpc.Forbidden, match="on none of its hosts") as refused:
        missing(own, uuid)
    assert (refused.value.details["method"], refused.value.details["object"]) == ("get_instance", uuid)


def test_what_has_left(world, own):
    """A host that could not build an instance, and asks late, is told that there is none."""
    uuid = world.new(host="host-2").uuid
    sent = Recorded(instance_uuid=uuid, context=world.ctxt, spec=world.spec, alternates=()).tried("host-1", "no")
    with world.db.write() as tx:
        request_specs.record(tx, sent)
    with pytest.raises(errors.InstanceNotFound):
        missing(own, uuid)


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
