"""What the conductor writes for compute nodes."""

from datetime import UTC, datetime

import pytest

from mininova import errors, states
from mininova.db import actions, claims, endings, faults, instances, services
from mininova.notifications import events
from mininova.objects import Fault, InstanceChanges, Service


def built(world, **fields):
    """Give an instance that host-1 is building."""
    return world.new(host="host-1", node="host-1", **fields)


def test_allocate_network_enters_the_step(world):
    """One answer has the networking step and the address."""
    new = world.manager.allocate_network(world.ctxt, built(world))
    assert new.task_state == states.NETWORKING
    assert [address.address for address in new.addresses] == ["10.0.0.2"]


def test_allocate_network_of_a_deleted_instance_takes_nothing(world):
    """If the step is refused, no address is taken."""
    instance = built(world)
    world.change(instance, task_state=states.DELETING)
    with pytest.raises(errors.InstanceBeingDeleted):
        world.manager.allocate_network(world.ctxt, instance)
    assert world.row(instance.uuid).addresses == ()


def test_update_writes_what_was_set_only(world):
    """A field left UNSET is not touched."""
    instance = built(world)
    new = world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(task_state=states.SPAWNING))
    assert (new.task_state, new.vm_state, new.progress) == (states.SPAWNING, states.BUILDING, 0)


def test_update_from_another_host_is_refused(world):
    """The row's host must be the caller's; the caller does not learn whether the row exists."""
    instance = built(world).replace(host="host-2")
    with pytest.raises(errors.InstanceNotFound):
        world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(power_state=1))


def test_late_update_is_refused(world):
    """An update made on an older generation changes nothing, and its sender gets an error."""
    instance = built(world)
    step = InstanceChanges(task_state=states.SPAWNING)
    world.manager.update_instance(world.ctxt, instance, "build", step)
    with pytest.raises(errors.InstanceUpdateConflict) as refused:
        world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(progress=50))
    assert refused.value.details["actual_generation"] == 1


def test_an_update_that_is_sent_again_is_answered_as_before(world):
    """An update that is sent again is answered as before; the row has changed once."""
    instance, step = built(world), InstanceChanges(task_state=states.SPAWNING)
    first, second = (world.manager.update_instance(world.ctxt, instance, "build", step) for _ in range(2))
    assert first == second == world.row(instance.uuid)
    assert second.generation == instance.generation + 1


def test_an_update_that_was_overtaken_is_refused_when_it_is_sent_again(world):
    """If the row changed after the update, a repetition is an error: its sender must read the row again."""
    instance, step = built(world), InstanceChanges(task_state=states.SPAWNING)
    for _ in range(2):
        spawning = world.manager.update_instance(world.ctxt, world.row(instance.uuid), "build", step)
    with pytest.raises(errors.InstanceUpdateConflict):
        world.manager.update_instance(world.ctxt, instance, "build", step)
    assert world.row(instance.uuid) == spawning


def test_a_repeated_step_gets_the_same_address(world):
    """A step that is sent again gets the same address."""
    world.add_host("host-1")
    instance = built(world)
    first, second = (world.manager.allocate_network(world.ctxt, instance) for _ in range(2))
    assert first == second
    assert len(second.addresses) == 1


def test_a_failure_that_is_sent_again_is_one_failure(world):
    """A failure that is sent again leaves one fault, and the row has changed once."""
    world.add_host("host-1")
    instance = built(world)
    first, second = (
        world.manager.fail_instance(world.ctxt, instance, "build", Fault(code=500, message=message))
        for message in ("no", "again")
    )
    assert first == second
    with world.db.read() as tx:
        assert faults.latest(tx, [instance.uuid])[instance.uuid].message == "no"


def test_the_end_of_a_guest_is_when_its_host_says(world):
    """The time of its end is the host's, so that bills made of notifications agree with the row to the second."""
    world.add_host("host-1")
    instance, then = built(world, task_state=states.DELETING), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    world.manager.destroy_instance(world.ctxt, instance, then)
    with world.db.read() as tx:
        assert instances.get(tx, instance.uuid, deleted=True).terminated_at == then


def test_levels_are_what_the_services_registered(world):
    """Each version is listed once, from any number of services."""
    with world.db.write() as tx:
        for host, version in (("a", "1.0"), ("b", "1.1"), ("c", "1.0")):
            service = Service(binary="nova-compute", host=host, topic="compute", versions={"compute": version})
            services.report(tx, service, datetime.now(UTC))
    assert world.manager.get_levels(world.ctxt) == {"compute": ["1.0", "1.1"]}


def test_last_step_finishes_the_action(world):
    """The update that ends a build ends its action, with success."""
    instance = built(world)
    world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(**states.finish("build")))
    with world.db.read() as tx:
        action = actions.get(tx, instance.uuid, world.ctxt.request_id)
    assert [event.result for event in action.events] == ["Success"]
    assert action.finish_time is not None


def test_failed_build_gives_everything_back(world):
    """A build that fails has a fault and no room; on its host it keeps its address, since a guest may be left there."""
    world.add_host("host-1")
    instance = built(world)
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    instance = world.manager.allocate_network(world.ctxt, instance)
    new = world.manager.fail_instance(world.ctxt, instance, "build", Fault(code=500, message="no"))
    assert (new.vm_state, new.task_state) == (states.ERROR, None)
    assert world.used("host-1") == 0
    with world.db.read() as tx:
        assert faults.latest(tx, [new.uuid])[new.uuid].message == "no"
    assert world.row(new.uuid).addresses == instance.addresses


def test_a_guest_that_is_lost_is_a_fault(world):
    """The owner of an instance whose guest is not there any more reads so."""
    world.add_host("host-1")
    instance = built(world, vm_state=states.ACTIVE, task_state=None)
    lost = InstanceChanges(power_state=states.NOSTATE, vm_state=states.ERROR)
    for _ in range(2):  # the second time it is sent again
        world.manager.update_instance(world.ctxt, instance, None, lost)
    with world.db.read() as tx:
        assert faults.latest(tx, [instance.uuid])[instance.uuid].message == "Its guest is not on host-1 any more"


def test_what_left_a_host_waits_for_that_host(world):
    """Another host that says it has cleared the instance frees nothing; the host itself frees the address."""
    world.add_host("host-1")
    instance = world.manager.allocate_network(world.ctxt, built(world))
    with world.db.write() as tx:
        endings.destroy(tx, instance.uuid)
    ask = lambda host, *cleared: world.manager.reconcile_host(world.ctxt, host, list(cleared))[1]  # noqa: E731
    assert ask("host-2", instance.uuid) == []
    assert ask("host-1", "another") == [instance.uuid]
    assert ask("host-1", instance.uuid) == []


def test_destroy_twice_is_destroying_once(world):
    """A repeated delete frees once and notifies once."""
    world.add_host("host-1")
    instance = built(world, task_state=states.DELETING)
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    for _ in range(2):
        world.manager.destroy_instance(world.ctxt, instance)
    assert world.used("host-1") == 0
    told = [payload["state"] for event, payload in world.notifier.heard if event == events.INSTANCE_UPDATE]
    assert told == [states.DELETED]


def test_every_change_is_notified(world):
    """compute.instance.update has the old and the new state."""
    instance = built(world)
    world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(task_state=states.SPAWNING))
    ((event, payload),) = world.notifier.heard
    assert event == "compute.instance.update"
    assert (payload["old_task_state"], payload["new_task_state"]) == (states.SCHEDULING, states.SPAWNING)


def test_a_repeated_failure_leaves_the_record_of_the_action(world):
    """A failure reported after the operation ended well does not change its record."""
    instance = built(world, vm_state=states.ACTIVE, task_state=states.POWERING_OFF)
    end = InstanceChanges(**states.finish("stop"))
    world.manager.update_instance(world.ctxt, instance, "stop", end)
    world.manager.fail_instance(world.ctxt, instance, "stop", Fault(code=500, message="no"))
    with world.db.read() as tx:
        action = actions.get(tx, instance.uuid, world.ctxt.request_id)
    assert ([event.result for event in action.events], action.message) == (["Success"], None)


def test_the_row_decides_whether_there_is_an_address(world):
    """The row, and not the host, decides whether an instance gets an address."""
    instance = built(world, networks="none")
    new = world.manager.allocate_network(world.ctxt, instance.replace(networks="auto"))
    assert new.addresses == world.row(instance.uuid).addresses == ()
