"""The fake hypervisor keeps the driver's contract: repetition is harmless, destroy wins, and guests outlive the
process.
"""

import threading
from datetime import UTC, datetime

import pytest

from mininova import conf, errors, states
from mininova.virt.fake import FakeDriver

SLOW = "[{operation: %s, delay: 600000}]"  # ten minutes: a test that waits for them has failed
FAILS = "[{operation: %s, failure: {kind: %s, message: out of luck}}]"


def in_background(function, *args):
    """Run something in a thread; give a function that waits for it and returns its error."""
    ended = []

    def run():
        try:
            function(*args)
        except errors.MininovaError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def outcome():
        thread.join(30)
        assert not thread.is_alive()
        return ended[0] if ended else None

    return outcome


def test_spawn(driver, instance, image):
    """A spawned guest runs."""
    driver.spawn(instance, image)
    assert driver.get_info(instance) == states.RUNNING
    assert driver.list_instance_uuids() == [instance.uuid]


def test_spawn_twice(driver, instance, image, clock):
    """Spawning again leaves the guest as it is, even if it was stopped since."""
    driver.spawn(instance, image)
    driver.power_off(instance)
    driver.spawn(instance, image)
    assert driver.get_info(instance) == states.SHUTDOWN


def test_destroy(driver, instance, image):
    """A destroyed guest is gone, and destroying it again is harmless."""
    driver.spawn(instance, image)
    driver.destroy(instance.uuid)
    driver.destroy(instance.uuid)
    assert driver.list_instance_uuids() == []


@pytest.mark.parametrize(
    "method",
    [
        "get_info", "power_on", "power_off", "pause", "unpause", "suspend", "resume", "unrescue", "trigger_crash_dump",
        "set_admin_password", "get_console_output", "get_diagnostics",
    ],
)  # fmt: skip
def test_no_guest(driver, instance, method):
    """An operation on a guest that does not exist is an error."""
    with pytest.raises(errors.GuestNotFound, match=instance.uuid):
        getattr(driver, method)(instance)


def test_power(driver, instance, image):
    """Power goes off and on, and asking twice changes nothing."""
    driver.spawn(instance, image)
    driver.power_off(instance)
    driver.power_off(instance)
    assert driver.get_info(instance) == states.SHUTDOWN
    driver.power_on(instance)
    boots = driver.get_console_output(instance).count("login:")
    driver.power_on(instance)
    assert driver.get_info(instance) == states.RUNNING
    assert driver.get_console_output(instance).count("login:") == boots


@pytest.mark.parametrize(
    ("halt", "halted", "go_on"),
    [("pause", states.POWER_PAUSED, "unpause"), ("suspend", states.POWER_SUSPENDED, "resume")],
)
def test_halted(driver, instance, image, halt, halted, go_on):
    """A guest that was paused or suspended runs on, and does not boot again."""
    driver.spawn(instance, image)
    getattr(driver, halt)(instance)
    assert driver.get_info(instance) == halted
    getattr(driver, go_on)(instance)
    assert driver.get_info(instance) == states.RUNNING
    assert driver.get_console_output(instance).count("Linux version") == 1


@pytest.mark.parametrize("reboot_type", ["SOFT", "HARD"])
def test_reboot(driver, instance, image, reboot_type):
    """A reboot adds a boot to the console, and starts a stopped guest."""
    driver.spawn(instance, image)
    driver.power_off(instance)
    driver.reboot(instance, reboot_type)
    assert driver.get_info(instance) == states.RUNNING
    assert driver.get_console_output(instance).count("Linux version") == 2


@pytest.mark.parametrize("operation", ["spawn", "reboot", "power_off"])
def test_destroy_wins(a_driver, a_behaviour, instance, image, operation):
    """Destroying a guest ends its current operation at once with GuestGone, and leaves nothing."""
    if operation != "spawn":
        a_driver().spawn(instance, image)
    slow = a_behaviour(SLOW % operation)
    driver = a_driver(slow)
    arguments = {"spawn": (instance, image), "reboot": (instance, "SOFT"), "power_off": (instance,)}[operation]
    outcome = in_background(getattr(driver, operation), *arguments)
    slow.drawn.acquire()
    driver.destroy(instance.uuid)
    assert isinstance(outcome(), errors.GuestGone)
    assert driver.list_instance_uuids() == []


@pytest.mark.parametrize("operation", ["live_migration", "post_live_migration_at_destination"])
def test_destroy_wins_over_a_live_migration(a_driver, a_behaviour, instance, image, operation):
    """Whose time goes by the guest's memory; on neither host is a guest left."""
    a_driver().spawn(instance, image)
    slow = a_behaviour(f"[{{operation: {operation}, delay_per_gib: 100000000}}]")
    driver = a_driver(slow)
    migrate = {
        "live_migration": lambda: driver.live_migration(instance),
        "post_live_migration_at_destination": lambda: driver.post_live_migration_at_destination(
            instance, image, paused=False
        ),
    }[operation]
    outcome = in_background(migrate)
    slow.drawn.acquire()
    driver.destroy(instance.uuid)
    assert isinstance(outcome(), errors.GuestGone)
    assert driver.list_instance_uuids() == []


def test_a_live_migration_is_aborted(a_driver, a_behaviour, instance, image):
    """It ends, and the guest runs on; where there is none, nothing happens."""
    slow = a_behaviour(SLOW % "live_migration")
    driver = a_driver(slow)
    driver.spawn(instance, image)
    slow.drawn.acquire()
    driver.live_migration_abort(instance)
    outcome = in_background(driver.live_migration, instance)
    slow.drawn.acquire()
    driver.live_migration_abort(instance)
    assert isinstance(outcome(), errors.MigrationAborted)
    assert driver.get_info(instance) == states.RUNNING


def test_a_live_migration_is_ended_well(a_driver, a_behaviour, instance, image):
    """The guest arrives at once, and a second one takes its time again; where there is none, nothing happens."""
    slow = a_behaviour(SLOW % "live_migration")
    driver = a_driver(slow)
    driver.spawn(instance, image)
    slow.drawn.acquire()
    driver.live_migration_force_complete(instance)
    for end, ends in (driver.live_migration_force_complete, type(None)), (
        driver.live_migration_abort, errors.MigrationAborted,
    ):  # fmt: skip
        outcome = in_background(driver.live_migration, instance)
        slow.drawn.acquire()
        end(instance)
        assert isinstance(outcome(), ends)
    assert driver.get_info(instance) == states.RUNNING


@pytest.mark.parametrize("paused", [True, False])
def test_a_guest_that_was_sent_runs_on(a_driver, clock, instance, image, paused):
    """It is as it was on its other host, and was not started here."""
    driver = a_driver()
    launched = datetime.fromtimestamp(clock.now - 3600, UTC)
    driver.post_live_migration_at_destination(instance.replace(launched_at=launched), image, paused=paused)
    assert driver.get_info(instance) == (states.POWER_PAUSED if paused else states.RUNNING)
    driver.unpause(instance)
    assert driver.get_diagnostics(instance)["uptime"] == 3600


def test_destroy_wins_over_all(a_driver, a_behaviour, instance, image):
    """A destroy ends both deliveries of a build."""
    slow = a_behaviour(SLOW % "spawn")
    driver = a_driver(slow)
    outcomes = [in_background(driver.spawn, instance, image) for _ in range(2)]
    slow.drawn.acquire()
    slow.drawn.acquire()
    driver.destroy(instance.uuid)
    assert all(isinstance(outcome(), errors.GuestGone) for outcome in outcomes)


def test_destroy_twice_at_once(a_driver, a_behaviour, instance, image):
    """Of two deliveries of a delete at once, neither ends the other."""
    slow = a_behaviour("[{operation: destroy, delay: 20}]")
    driver = a_driver(slow)
    outcomes = [in_background(driver.destroy, instance.uuid) for _ in range(2)]
    assert [outcome() for outcome in outcomes] == [None, None]


def test_what_needs_no_guest_takes_no_time_when_it_is_halted(a_driver, a_behaviour, instance, image):
    """A destroy ends as if its time were over, and so does one that begins then."""
    slow = a_behaviour(SLOW % "destroy")
    driver = a_driver(slow)
    driver.spawn(instance, image)
    slow.drawn.acquire()
    outcome = in_background(driver.destroy, instance.uuid)
    slow.drawn.acquire()
    driver.halt(lambda uuid: True)
    assert outcome() is None
    assert driver.list_instance_uuids() == []
    assert in_background(driver.destroy, instance.uuid)() is None


def test_a_host_loses_some_guests(a_driver, an_instance, image):
    """The others stay, also after a restart."""
    driver, lost, kept = a_driver(), an_instance(), an_instance()
    for instance in (lost, kept):
        driver.spawn(instance, image)
    driver.lose({lost.uuid, "none"})
    assert [it.list_instance_uuids() for it in (driver, a_driver())] == [[kept.uuid]] * 2


def test_destroy_of_another(a_driver, a_behaviour, an_instance, image):
    """Destroying a guest does not disturb operations on others."""
    slow = a_behaviour("[{operation: spawn, delay: 20}]")
    driver = a_driver(slow)
    one, other = an_instance(), an_instance()
    outcome = in_background(driver.spawn, one, image)
    slow.drawn.acquire()
    driver.destroy(other.uuid)
    assert outcome() is None
    assert driver.list_instance_uuids() == [one.uuid]


def test_survives_restart(a_driver, an_instance, image):
    """After a restart of the process each guest is as it was."""
    running, stopped, destroyed = an_instance(), an_instance(), an_instance()
    before = a_driver()
    for instance in (running, stopped, destroyed):
        before.spawn(instance, image)
    before.power_off(stopped)
    before.destroy(destroyed.uuid)
    after = a_driver()
    assert after.get_info(running) == states.RUNNING
    assert after.get_info(stopped) == states.SHUTDOWN
    assert set(after.list_instance_uuids()) == {running.uuid, stopped.uuid}
    assert after.get_console_output(running) == before.get_console_output(running)


def test_spawn_fails(a_driver, a_behaviour, instance, image):
    """A spawn that fails says why, and leaves nothing."""
    driver = a_driver(a_behaviour(FAILS % ("spawn", "error")))
    with pytest.raises(errors.SpawnFailed, match="out of luck"):
        driver.spawn(instance, image)
    assert driver.list_instance_uuids() == []


def test_spawn_fails_halfway(a_driver, a_behaviour, instance, image):
    """A spawn that fails halfway leaves something, which destroy removes."""
    driver = a_driver(a_behaviour(FAILS % ("spawn", "halfway")))
    with pytest.raises(errors.SpawnFailed):
        driver.spawn(instance, image)
    assert driver.list_instance_uuids() == [instance.uuid]
    driver.destroy(instance.uuid)
    assert driver.list_instance_uuids() == []


def test_a_rule_for_one_guest_holds_to_its_end(a_driver, a_behaviour, instance, image):
    """Also where the driver is told no more than a uuid, and after the process was started again."""
    rules = a_behaviour("[{instances: 'web *', metadata: {chaos: '*'}, operation: destroy, failure: {}}]")
    named = instance.replace(metadata={"chaos": "1"})
    other = named.replace(uuid="other", display_name="db 1")
    for each in (named, other):
        a_driver(rules).spawn(each, image)
    driver = a_driver(rules)
    driver.destroy("other")
    with pytest.raises(errors.HypervisorFailed):
        driver.destroy(named.uuid)
    assert driver.list_instance_uuids() == [named.uuid]


def test_the_host_loses_its_power(a_driver, a_behaviour, instance, image):
    """In an operation that seems to work all guests of the host are switched off, and none is lost."""
    driver = a_driver(a_behaviour(FAILS % ("get_diagnostics", "power_loss")))
    other = instance.replace(uuid="other")
    for each in (instance, other):
        driver.spawn(each, image)
    driver.get_diagnostics(instance)
    assert [driver.get_info(each) for each in (instance, other)] == [states.SHUTDOWN] * 2


def test_a_suspended_guest_outlives_a_loss_of_power(a_driver, a_behaviour, instance, image):
    """Its memory is on the disk."""
    driver = a_driver(a_behaviour(FAILS % ("get_diagnostics", "power_loss")))
    driver.spawn(instance, image)
    driver.suspend(instance)
    driver.get_diagnostics(instance)
    assert driver.get_info(instance) == states.POWER_SUSPENDED


def test_guest_crashes(a_driver, a_behaviour, instance, image):
    """A guest can crash in an operation that seems to work."""
    driver = a_driver(a_behaviour(FAILS % ("reboot", "crash")))
    driver.spawn(instance, image)
    driver.reboot(instance, "SOFT")
    assert driver.get_info(instance) == states.CRASHED


@pytest.mark.parametrize("operation", ["power_off", "destroy"])
def test_other_operations_fail(a_driver, a_behaviour, instance, image, operation):
    """An operation that fails before anything was done leaves the guest as it was."""
    driver = a_driver(a_behaviour(FAILS % (operation, "error")))
    driver.spawn(instance, image)
    with pytest.raises(errors.HypervisorFailed, match=f"Failed to {operation} .* on host-1: out of luck"):
        getattr(driver, operation)(instance.uuid if operation == "destroy" else instance)
    assert driver.get_info(instance) == states.RUNNING


def test_available_resource(driver, an_instance, image):
    """The resources of guests count, running or not, until they are destroyed."""
    one, other = an_instance(), an_instance()
    driver.spawn(one, image)
    driver.spawn(other, image)
    driver.power_off(other)
    node = driver.get_available_resource()
    assert (node.vcpus, node.memory_mb, node.local_gb) == (8, 16384, 200)
    assert (node.vcpus_used, node.memory_mb_used, node.local_gb_used, node.running_vms) == (4, 4096, 50, 2)
    driver.destroy(one.uuid)
    assert driver.get_available_resource().memory_mb_used == 2048


def test_for_hosts(tmp_path):
    """The machine, its overcommit ratios and its folder come from the configuration."""
    settings = {"DEFAULT.host": "host-9", "DEFAULT.state_path": str(tmp_path), "fake.vcpus": 3}
    made = conf.for_tests("compute", **settings, **{"compute.ram_allocation_ratio": 2.0})
    (driver,) = FakeDriver.for_hosts(made, [made.host])
    node = driver.get_available_resource()
    assert (node.host, node.hypervisor_hostname, node.vcpus, node.ram_allocation_ratio) == ("host-9", "host-9", 3, 2.0)
    assert (tmp_path / "guests" / "host-9").is_dir()


def test_the_host_runs_since_the_driver_began(driver, clock):
    """Its words are those of uptime(1), for tools that read them."""
    clock.now += 2 * 86400 + 3 * 3600 + 4 * 60
    assert " up 2 days,  3:04," in driver.get_host_uptime()
