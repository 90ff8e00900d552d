"""A build as the conductor leads it, and each way in which it may go otherwise."""

from mininova import rpc, states
from mininova.db import claims, faults, instances
from mininova.objects import Fault, Retry, Selection

FAULT = Fault(code=500, message="the disk is full")


def test_sends_each_instance_to_its_host(world):
    """Every instance of a request gets the host that the scheduler chose, and is sent there with the alternates."""
    world.scheduler.hosts = ["host-1", "host-2"]
    wanted = [world.new(), world.new()]
    world.flow.build(world.ctxt, wanted, world.spec)
    assert [(host, alternates) for host, _, _, alternates in world.computes.builds] == [("host-1", ["host-2"])] * 2
    assert {world.row(instance.uuid).host for instance in wanted} == {"host-1"}


def test_schedules_together(world):
    """The instances of one request are one question to the scheduler."""
    world.scheduler.hosts = ["host-1"]
    wanted = [world.new(), world.new()]
    world.flow.build(world.ctxt, wanted, world.spec)
    assert world.scheduler.asked == [[instance.uuid for instance in wanted]]


def test_second_delivery_asks_nobody(world):
    """A build that is delivered again does not ask the scheduler again; its host may be sent it twice."""
    world.scheduler.hosts = ["host-1"]
    wanted = [world.new()]
    world.flow.build(world.ctxt, wanted, world.spec)
    world.flow.build(world.ctxt, wanted, world.spec)
    assert len(world.scheduler.asked) == 1
    assert {host for host, *_ in world.computes.builds} == {"host-1"}


def test_silent_scheduler_is_a_fault(world):
    """A scheduler that does not answer ends the build in ERROR, and the fault says so."""
    world.scheduler.error = rpc.MessagingTimeout("scheduler did not answer select_destinations within 60 s")
    instance = world.new()
    world.flow.build(world.ctxt, [instance], world.spec)
    assert world.row(instance.uuid).vm_state == states.ERROR
    with world.db.read() as tx:
        assert "did not answer" in faults.latest(tx, [instance.uuid])[instance.uuid].message


def test_host_that_nobody_serves(world):
    """A chosen host whose queue nobody has made is left for the next alternate, and its room is given back."""
    for host in ("host-1", "host-2"):
        world.add_host(host)
    world.scheduler.hosts, world.computes.away = ["host-1", "host-2"], {"host-1"}
    instance = world.new()
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    world.flow.build(world.ctxt, [instance], world.spec)
    assert [host for host, *_ in world.computes.builds] == ["host-2"]
    assert (world.used("host-1"), world.used("host-2")) == (0, 512)


def test_deleted_while_it_was_scheduled(world):
    """An instance that is deleted while the scheduler chooses is sent nowhere, and its claim is freed."""
    world.add_host("host-1")
    instance = world.new()
    choose = world.scheduler.select_destinations

    def choose_slowly(ctxt, spec, uuids):
        with world.db.write() as tx:
            claims.claim(tx, instance.uuid, "host-1", instance.flavor)
            instances.destroy(tx, instance.uuid)
        return choose(ctxt, spec, uuids)

    world.scheduler.hosts, world.scheduler.select_destinations = ["host-1"], choose_slowly
    world.flow.build(world.ctxt, [instance], world.spec)
    assert world.computes.builds == []
    assert world.used("host-1") == 0


def placed(world, host="host-1", **fields):
    """Give an instance that a host is building."""
    instance = world.new(host=host, node=host, **fields)
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, host, instance.flavor)
    return instance


def alternates(*hosts):
    return [Selection(host=host, node=host, availability_zone="nova") for host in hosts]


def test_reschedule_passes_over_a_full_alternate(world):
    """An alternate that has filled up meanwhile is passed over for the next."""
    world.add_host("host-1")
    world.add_host("host-2", memory_mb=256)
    world.add_host("host-3")
    world.flow.reschedule(world.ctxt, placed(world), world.spec, alternates("host-2", "host-3"), FAULT)
    ((host, _, spec, left),) = world.computes.builds
    assert (host, left) == ("host-3", [])
    assert spec.retry == Retry(attempts=1, hosts=("host-1",), reason="the disk is full")
    assert (world.used("host-1"), world.used("host-3")) == (0, 512)


def test_reschedule_stops_after_the_last_attempt(world):
    """After max_attempts builds no alternate is tried: ERROR, and a fault with the last reason."""
    world.add_host("host-1")
    world.add_host("host-2")
    instance = placed(world)
    tired = world.spec.replace(retry=Retry(attempts=2, hosts=("x", "y")))
    world.flow.reschedule(world.ctxt, instance, tired, alternates("host-2"), FAULT)
    assert world.computes.builds == []
    assert world.row(instance.uuid).vm_state == states.ERROR
    with world.db.read() as tx:
        assert "the disk is full" in faults.latest(tx, [instance.uuid])[instance.uuid].message


def test_second_reschedule_does_nothing(world):
    """A reschedule that is delivered twice sends the instance to one host."""
    for host in ("host-1", "host-2", "host-3"):
        world.add_host(host)
    instance = placed(world)
    for _ in range(2):
        world.flow.reschedule(world.ctxt, instance, world.spec, alternates("host-2", "host-3"), FAULT)
    assert [host for host, *_ in world.computes.builds] == ["host-2"]
    assert (world.used("host-2"), world.used("host-3")) == (512, 0)


def test_no_reschedule_of_what_is_deleted(world):
    """An instance that is being deleted is not built again, whatever its host reports."""
    world.add_host("host-1")
    world.add_host("host-2")
    instance = placed(world)
    world.change(instance, task_state=states.DELETING)
    world.flow.reschedule(world.ctxt, instance, world.spec, alternates("host-2"), FAULT)
    assert world.computes.builds == []
    assert world.row(instance.uuid).task_state == states.DELETING


def test_conductor_that_died_after_it_gave_a_host(world):
    """A build that is delivered again, after its conductor gave a host and died, is sent to that host."""
    world.scheduler.hosts = ["host-1"]
    instance = world.new()
    world.change(instance, host="host-1", node="host-1")
    world.flow.build(world.ctxt, [instance], world.spec)
    assert [host for host, *_ in world.computes.builds] == ["host-1"]
    assert world.scheduler.asked == []


def test_conductor_that_died_after_it_took_an_instance_back(world):
    """A reschedule that is delivered again, after its conductor took the instance back and died, goes on."""
    world.add_host("host-1")
    world.add_host("host-2")
    instance = placed(world)
    world.change(instance, host=None, node=None, task_state=states.SCHEDULING)
    world.flow.reschedule(world.ctxt, instance, world.spec, alternates("host-2"), FAULT)
    assert [host for host, *_ in world.computes.builds] == ["host-2"]


def test_two_conductors_with_one_message(world):
    """Of two conductors that were given the same build, the second leaves the claim of the first alone."""
    world.add_host("host-1")
    instance = world.new()
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    choose = world.scheduler.select_destinations

    def another_was_faster(ctxt, spec, uuids):
        world.change(instance, host="host-1", node="host-1")
        return choose(ctxt, spec, uuids)

    world.scheduler.hosts, world.scheduler.select_destinations = ["host-1"], another_was_faster
    world.flow.build(world.ctxt, [instance], world.spec)
    assert world.used("host-1") == 512
