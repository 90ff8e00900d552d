"""In whose name a conductor tells the steps of a boot, and how often it reads that."""

from mininova import states
from mininova.conductor import memory
from mininova.conductor.memory import Memory
from mininova.context import RequestContext, service_context
from mininova.objects import InstanceChanges
from tests.fixtures.statements import counted


def boot(world):
    """Have a build led until its host has it; give the instance as the host got it."""
    world.add_host("host-1")
    world.scheduler.hosts = ["host-1"]
    made = world.new()
    world.manager.build_instances(world.ctxt, [made], world.spec)
    return world.computes.builds[-1][1]


def steps(world, instance):
    """Do with an instance what its host does in a boot, which may name any user."""
    manager, ctxt = world.manager, RequestContext(request_id=world.ctxt.request_id, user_id="bob")
    instance = manager.allocate_network(ctxt, instance)
    for step in (states.BLOCK_DEVICE_MAPPING, states.SPAWNING):
        instance = manager.update_instance(ctxt, instance, "build", InstanceChanges(task_state=step))
    return manager.update_instance(ctxt, instance, "build", InstanceChanges(**states.finish("build")))


def test_a_conductor_that_leads_a_build_reads_no_request(world):
    """It has the request from the api, and remembers it from step to step."""
    placed = boot(world)
    with counted(world.db) as statements:
        steps(world, placed)
    assert not [it for it in statements if it.startswith("SELECT instance_actions.context")]
    assert {ctxt.user_id for ctxt, *_ in world.notifier.told} == {world.ctxt.user_id}


def test_another_conductor_reads_it_once(world):
    """It does not know the build, and then it does."""
    placed = boot(world)
    world.builds.memory = Memory()
    with counted(world.db) as statements:
        steps(world, placed)
    assert len([it for it in statements if it.startswith("SELECT instance_actions.context")]) == 1
    assert {ctxt.user_id for ctxt, *_ in world.notifier.told} == {world.ctxt.user_id}


def test_what_is_remembered_holds_for_its_generation(world):
    """A request that another service has accepted meanwhile is read from the record."""
    placed = boot(world)
    later = world.change(placed, progress=1)
    remembered = RequestContext(request_id="req-remembered")
    world.builds.memory.remember(placed, remembered)
    with world.db.read() as tx:
        assert world.builds.memory.asked(tx, placed) == remembered
        assert world.builds.memory.asked(tx, later).request_id == world.ctxt.request_id


def test_what_is_remembered_is_bounded(world, monkeypatch):
    """The instance that was changed longest ago is forgotten."""
    monkeypatch.setattr(memory, "MAX_REMEMBERED", 2)
    remembered, asked = Memory(), RequestContext()
    first, second, third = (world.new() for _ in range(3))
    for instance in (first, second, first, third):
        remembered.remember(instance, asked)
    with world.db.read() as tx:
        assert [remembered.asked(tx, it) is asked for it in (first, second, third)] == [True, False, True]


def test_without_a_request_it_is_our_own(world):
    """At rest, nothing is under way that anyone asked for."""
    done = steps(world, boot(world))
    with world.db.read() as tx:
        assert Memory().asked(tx, done).roles == service_context().roles
