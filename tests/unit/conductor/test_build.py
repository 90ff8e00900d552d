"""How the conductor leads a build, and each way in which it can fail or be repeated."""

from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors, rpc, states
from mininova.context import RequestContext
from mininova.db import claims, faults, instances, request_specs, server_groups
from mininova.db.request_specs import Build
from mininova.db.server_groups import ServerGroup
from mininova.objects import Fault, Retry, Selection

FAULT = Fault(code=500, message="the disk is full")


def test_sends_each_instance_to_its_host(world):
    """Each instance gets the host that the scheduler chose, and goes there with its image."""
    world.add_host("host-1")
    world.scheduler.hosts = ["host-1", "host-2"]
    wanted = [world.new(), world.new()]
    world.builds.build(world.ctxt, wanted, world.spec)
    assert [(host, image) for host, _, image, _ in world.computes.builds] == [("host-1", world.spec.image)] * 2
    assert {world.row(instance.uuid).host for instance in wanted} == {"host-1"}


def test_schedules_together(world):
    """The instances of one request are one call to the scheduler."""
    world.scheduler.hosts = ["host-1"]
    wanted = [world.new(), world.new()]
    world.builds.build(world.ctxt, wanted, world.spec)
    assert world.scheduler.asked == [[instance.uuid for instance in wanted]]


def test_second_delivery_does_not_schedule_again(world):
    """A build that is delivered again does not call the scheduler again; it may be sent to its host twice."""
    world.add_host("host-1")
    world.scheduler.hosts = ["host-1"]
    wanted = [world.new()]
    world.builds.build(world.ctxt, wanted, world.spec)
    world.builds.build(world.ctxt, wanted, world.spec)
    assert len(world.scheduler.asked) == 1
    assert {host for host, *_ in world.computes.builds} == {"host-1"}


SILENT = rpc.MessagingTimeout("scheduler did not answer select_destinations within 60 s")


@pytest.mark.parametrize(
    "error",
    [SILENT, rpc.Undeliverable("nothing serves scheduler"), errors.DatabaseAway("the database is away")],
    ids=lambda error: type(error).__name__,
)
def test_a_build_waits_for_a_scheduler(world, error):
    """A scheduler that cannot tell whether there is a host ends no build."""
    world.scheduler.error = error
    instance = world.new()
    world.builds.build(world.ctxt, [instance], world.spec)
    assert world.row(instance.uuid) == instance


@pytest.mark.parametrize(
    ("error", "age_s", "says"),
    [
        (SILENT, 601, "No scheduler chose a host within 600 s: MessagingTimeout"),
        (rpc.MessageRefused("the broker takes no such message"), 0, "MessageRefused"),
        (rpc.RemoteError("it fails"), 0, "RemoteError"),
    ],
    ids=["for its time", "not when it is refused", "not when it fails"],
)
def test_a_build_does_not_wait_for_ever(world, error, age_s, says):
    """A build that no scheduler has answered for long, or that fails there, ends in ERROR, and the fault says why."""
    world.scheduler.error = error
    instance = world.new(created_at=datetime.now(UTC) - timedelta(seconds=age_s))
    world.builds.build(world.ctxt, [instance], world.spec)
    assert world.row(instance.uuid).vm_state == states.ERROR
    with world.db.read() as tx:
        assert faults.latest(tx, [instance.uuid])[instance.uuid].message == says


def test_host_without_a_queue(world):
    """If the chosen host has no queue, the next alternate gets the build, and the room on the first is freed."""
    for host in ("host-1", "host-2"):
        world.add_host(host)
    world.scheduler.hosts, world.computes.away = ["host-1", "host-2"], {"host-1"}
    instance = world.new()
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    world.builds.build(world.ctxt, [instance], world.spec)
    assert [host for host, *_ in world.computes.builds] == ["host-2"]
    assert (world.used("host-1"), world.used("host-2")) == (0, 512)


def test_deleted_while_it_was_scheduled(world):
    """An instance that is deleted while the scheduler chooses is not sent, and its claim is freed."""
    world.add_host("host-1")
    instance = world.new()
    choose = world.scheduler.select_destinations

    def choose_slowly(ctxt, spec, uuids):
        with world.db.write() as tx:
            claims.claim(tx, instance.uuid, "host-1", instance.flavor)
            instances.destroy(tx, instance.uuid)
        return choose(ctxt, spec, uuids)

    world.scheduler.hosts, world.scheduler.select_destinations = ["host-1"], choose_slowly
    world.builds.build(world.ctxt, [instance], world.spec)
    assert world.computes.builds == []
    assert world.used("host-1") == 0


def test_an_alternate_that_its_group_does_not_allow(world):
    """An instance is not built again on a host where a member of its group has got room meanwhile."""
    for host in ("host-1", "host-2", "host-3"):
        world.add_host(host)
    group = ServerGroup(uuid="g", name="g", project_id="demo", user_id="ann", policy="anti-affinity")
    world.spec = world.spec.replace(scheduler_hints={"group": "g"})
    instance, other = world.new(), world.new()
    world.scheduler.hosts, world.computes.away = ["host-1", "host-2", "host-3"], {"host-1"}
    with world.db.write() as tx:
        server_groups.create(tx, group)
        claims.claim(tx, other.uuid, "host-2", other.flavor)
    world.builds.build(world.ctxt, [instance], world.spec)
    assert [host for host, *_ in world.computes.builds] == ["host-3"]
    assert world.used("host-1") == 0


def alternates(*hosts):
    return [Selection(host=host, node=host, availability_zone="nova") for host in hosts]


def placed(world, *others, spec=None, **fields):
    """Give an instance that host-1 is building, and that may go to others."""
    instance = world.new(host="host-1", node="host-1", **fields)
    sent = Build(instance_uuid=instance.uuid, spec=spec or world.spec, alternates=tuple(alternates(*others)))
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
        request_specs.record(tx, sent)
    return instance


@contextmanager
def dying(notifier):
    """Have the conductor die at its next notification."""

    def die(*told):
        raise SystemExit

    notifier.info = die
    try:
        yield
    finally:
        del notifier.info


def give_back(world, instance):
    """Have host-1 give an instance back."""
    world.builds.reschedule(instance, FAULT)


def recorded(world, instance):
    """Read the record of a build."""
    with world.db.read() as tx:
        return request_specs.get(tx, instance.uuid)


def test_reschedule_passes_over_a_full_alternate(world):
    """An alternate that is full by now is skipped."""
    world.add_host("host-1")
    world.add_host("host-2", memory_mb=256)
    world.add_host("host-3")
    instance = placed(world, "host-2", "host-3")
    give_back(world, instance)
    ((host, *_),) = world.computes.builds
    assert (host, recorded(world, instance).alternates) == ("host-3", ())
    assert recorded(world, instance).spec.retry == Retry(attempts=1, hosts=("host-1",), reason="the disk is full")
    assert (world.used("host-1"), world.used("host-3")) == (0, 512)


def test_reschedule_stops_after_the_last_attempt(world):
    """After max_attempts builds no alternate is tried: the instance is in ERROR, with a fault."""
    world.add_host("host-1")
    world.add_host("host-2")
    tired = world.spec.replace(retry=Retry(attempts=2, hosts=("x", "y")))
    instance = placed(world, "host-2", spec=tired)
    give_back(world, instance)
    assert world.computes.builds == []
    assert world.row(instance.uuid).vm_state == states.ERROR
    with world.db.read() as tx:
        assert "the disk is full" in faults.latest(tx, [instance.uuid])[instance.uuid].message


def test_second_reschedule_does_nothing(world):
    """A reschedule that is delivered twice sends the instance to one host."""
    for host in ("host-1", "host-2", "host-3"):
        world.add_host(host)
    instance = placed(world, "host-2", "host-3")
    for _ in range(2):
        with suppress(errors.InstanceNotFound):  # the second time
            give_back(world, instance)
    assert [host for host, *_ in world.computes.builds] == ["host-2"]
    assert (world.used("host-2"), world.used("host-3")) == (512, 0)


def test_no_reschedule_of_what_is_deleted(world):
    """An instance that is being deleted is not built again."""
    world.add_host("host-1")
    world.add_host("host-2")
    instance = placed(world, "host-2")
    world.change(instance, task_state=states.DELETING)
    with pytest.raises(errors.InstanceBeingDeleted):
        give_back(world, instance)
    assert world.computes.builds == []
    assert world.row(instance.uuid).task_state == states.DELETING


def test_conductor_that_died_after_it_gave_a_host(world):
    """A build that is delivered again, after its conductor gave a host and died, is sent to that host."""
    world.scheduler.hosts = ["host-1"]
    instance = world.new()
    world.change(instance, host="host-1", node="host-1")
    world.builds.build(world.ctxt, [instance], world.spec)
    assert [host for host, *_ in world.computes.builds] == ["host-1"]
    assert world.scheduler.asked == []


def test_conductor_that_died_after_it_took_an_instance_back(world):
    """A reschedule that is delivered again, after its conductor took the instance back and died, goes on."""
    world.add_host("host-1")
    world.add_host("host-2")
    instance = placed(world, "host-2", task_state=states.SPAWNING)
    with pytest.raises(SystemExit), dying(world.notifier):
        give_back(world, instance)
    assert world.row(instance.uuid).host is None
    give_back(world, instance)
    ((host, *_),) = world.computes.builds
    assert (host, recorded(world, instance).spec.retry.attempts) == ("host-2", 1)


def test_a_build_without_a_host_cannot_be_given_back(world):
    """A host that gives back an instance which has no host yet gets InstanceNotFound."""
    instance = world.new()
    with pytest.raises(errors.InstanceNotFound):
        give_back(world, instance.replace(host="host-1", generation=-1))
    assert world.row(instance.uuid) == instance


def test_the_next_host_gets_the_recorded_request(world):
    """The next host gets the recorded image and context, not those of the host that failed."""
    world.add_host("host-1")
    world.add_host("host-2")
    world.manager.reschedule_instance(RequestContext(is_admin=True), placed(world, "host-2"), FAULT)
    ((_, _, image, ctxt),) = world.computes.builds
    assert (image, ctxt) == (world.spec.image, world.ctxt)


def test_two_conductors_with_one_message(world):
    """Of two conductors that got the same build, the second leaves the claim of the first alone."""
    world.add_host("host-1")
    instance = world.new()
    with world.db.write() as tx:
        claims.claim(tx, instance.uuid, "host-1", instance.flavor)
    choose = world.scheduler.select_destinations

    def another_was_faster(ctxt, spec, uuids):
        world.change(instance, host="host-1", node="host-1")
        return choose(ctxt, spec, uuids)

    world.scheduler.hosts, world.scheduler.select_destinations = ["host-1"], another_was_faster
    world.builds.build(world.ctxt, [instance], world.spec)
    assert world.used("host-1") == 512


def test_a_host_without_the_claim_gets_no_build(world):
    """If another conductor has moved the claim to an alternate, the first host gets no message."""
    for host in ("host-1", "host-2"):
        world.add_host(host)
    instance = world.new()
    choose = world.scheduler.select_destinations

    def then_it_is_moved(ctxt, spec, uuids):
        chosen = choose(ctxt, spec, uuids)
        with world.db.write() as tx:
            claims.claim(tx, instance.uuid, "host-2", instance.flavor)
        return chosen

    world.scheduler.hosts, world.scheduler.select_destinations = ["host-1"], then_it_is_moved
    world.builds.build(world.ctxt, [instance], world.spec)
    assert world.computes.builds == []
    assert world.row(instance.uuid).host is None
    assert (world.used("host-1"), world.used("host-2")) == (0, 512)


def test_a_faster_conductors_claim_stays(world):
    """If another conductor sent the instance elsewhere first, its claim there stays."""
    for host in ("host-1", "host-2", "host-3"):
        world.add_host(host)
    instance = placed(world, "host-2", task_state=states.SPAWNING)

    def another_is_faster(*told):
        del world.notifier.info
        with world.db.write() as tx:
            claims.claim(tx, instance.uuid, "host-3", instance.flavor)
        world.change(instance, host="host-3", node="host-3")

    world.notifier.info = another_is_faster
    give_back(world, instance)
    assert world.computes.builds == []
    assert world.row(instance.uuid).host == "host-3"
    assert [world.used(host) for host in ("host-1", "host-2", "host-3")] == [0, 0, 512]
