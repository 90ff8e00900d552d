"""A host makes its guests and its instances agree, while it serves messages."""

from datetime import timedelta

import pytest

from mininova import errors, rpc, states
from mininova.compute.manager import ComputeManager

from .conftest import HOST, NOW


def test_nothing_to_do(manager, conductor, driver, an_instance):
    """An instance that agrees with its guest stays as it is, and the conductor is asked once."""
    instance = an_instance(states.ACTIVE, power_state=states.RUNNING)
    driver.guests[instance.uuid] = states.RUNNING
    manager.reconcile()
    assert conductor.rows[instance.uuid] == instance
    assert driver.asked == []
    assert conductor.asked == ["reconcile_host"]


def test_more_instances_than_fit_into_a_message(manager, conductor, driver, an_instance):
    """They are read page by page, in smaller pages where those do not fit, and no guest is taken for a stranger."""
    conductor.fits = 3
    for _ in range(8):
        driver.guests[an_instance(states.ACTIVE, power_state=states.RUNNING).uuid] = states.RUNNING
    conductor.departed, guests = ["gone"], dict(driver.guests)
    manager.reconcile()
    assert driver.guests == guests
    assert driver.asked == ["destroy"]
    assert conductor.cleared == ["gone"]


def test_an_instance_that_fits_into_no_message(manager, conductor, driver, an_instance):
    """Nothing is destroyed on the strength of a part of the list."""
    conductor.fits = 0
    driver.guests[an_instance(states.ACTIVE).uuid] = states.RUNNING
    with pytest.raises(rpc.MessageTooLong):
        manager.reconcile()
    assert driver.asked == []


# ---- guests without an instance


def test_what_is_left_of_a_build_that_failed(manager, conductor, driver, an_instance):
    """Its room was given back, so the guest is destroyed; one that has run and is in ERROR keeps its guest."""
    left, kept = an_instance(states.ERROR), an_instance(states.ERROR, launched_at=NOW, power_state=states.RUNNING)
    driver.guests = dict.fromkeys([left.uuid, kept.uuid], states.RUNNING)
    manager.reconcile()
    assert driver.guests == {kept.uuid: states.RUNNING}
    assert conductor.rows[left.uuid].vm_state == states.ERROR


def test_a_failed_build_that_has_moved_on_keeps_its_guest(manager, conductor, driver, an_instance):
    """An administrator has reset its state since it was read."""
    left = an_instance(states.ERROR)
    driver.guests[left.uuid] = states.RUNNING
    conductor.meanwhile["update_instance None"] = lambda: conductor.write(left.uuid, vm_state=states.ACTIVE)
    manager.reconcile()
    assert driver.guests == {left.uuid: states.RUNNING}


def test_stranger(manager, driver, caplog):
    """The host destroys a guest that has no instance here, and logs it."""
    driver.guests["somebody"] = states.RUNNING
    manager.reconcile()
    assert driver.guests == {}
    assert "somebody" in caplog.text


def test_a_stranger_that_cannot_be_destroyed(manager, driver, conductor):
    """The next round tries again, and until then the conductor is not told that it is gone."""
    driver.guests["somebody"] = states.RUNNING
    conductor.departed = ["somebody"]
    driver.fails["destroy"] = OSError("the disk is busy")
    manager.reconcile()
    assert conductor.cleared == []
    driver.fails.clear()
    manager.reconcile()
    assert driver.guests == {}
    assert conductor.cleared == ["somebody"]


def test_what_left_is_cleared_also_without_a_guest(manager, conductor):
    """The conductor waits for the host to say that it has no guest of an instance, and it has none."""
    conductor.departed = ["somebody"]
    manager.reconcile()
    assert conductor.cleared == ["somebody"]


def test_an_older_conductor(manager, conductor, driver, an_instance):
    """A conductor of acrux has no such method: the host gets the list of its instances from it, as before."""
    instance = an_instance(states.ACTIVE)
    driver.guests |= {instance.uuid: states.RUNNING, "somebody": states.RUNNING}
    conductor.is_acrux = True
    manager.reconcile()
    assert driver.guests == {instance.uuid: states.RUNNING}


# ---- instances that are here


@pytest.mark.parametrize(
    ("vm_state", "task_state"),
    [("building", "spawning"), ("active", "powering-off"), ("active", "reboot_started"), ("active", "deleting")],
)
def test_what_is_under_way_is_left_alone(manager, conductor, driver, an_instance, vm_state, task_state):
    """An operation under way is left to the message that will come again, and its guest with it."""
    instance = an_instance(vm_state, task_state)
    driver.guests[instance.uuid] = states.RUNNING
    manager.reconcile()
    assert conductor.asked == ["reconcile_host"]
    assert driver.guests == {instance.uuid: states.RUNNING}


@pytest.mark.parametrize(
    ("vm_state", "power_state", "becomes"),
    [
        ("active", states.RUNNING, "active"),
        ("active", states.SHUTDOWN, "stopped"),
        ("active", states.CRASHED, "stopped"),
        ("active", states.POWER_PAUSED, "active"),
        ("active", states.POWER_SUSPENDED, "stopped"),
        ("active", states.NOSTATE, "error"),
        ("paused", states.SHUTDOWN, "stopped"),
        ("paused", states.CRASHED, "stopped"),
        ("paused", states.NOSTATE, "error"),
        ("suspended", states.SHUTDOWN, "suspended"),
        ("suspended", states.NOSTATE, "error"),
        ("stopped", states.SHUTDOWN, "stopped"),
        ("stopped", states.CRASHED, "stopped"),
        ("stopped", states.NOSTATE, "error"),
        ("error", states.RUNNING, "error"),
        ("error", states.SHUTDOWN, "error"),
        ("error", states.NOSTATE, "error"),
    ],
)
def test_the_guest_is_right(manager, conductor, driver, an_instance, vm_state, power_state, becomes):
    """Nova's table: what the hypervisor says is written down, and the guest is not touched."""
    instance = an_instance(vm_state, launched_at=NOW)
    if power_state:
        driver.guests[instance.uuid] = power_state
    manager.reconcile()
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.power_state) == (becomes, power_state)
    assert driver.asked == []


@pytest.mark.parametrize("power_state", [states.RUNNING, states.POWER_PAUSED])
def test_the_instance_is_right(manager, conductor, driver, an_instance, power_state):
    """The guest of a stopped instance is stopped."""
    instance = an_instance(states.STOPPED, power_state=states.SHUTDOWN)
    driver.guests[instance.uuid] = power_state
    manager.reconcile()
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.power_state) == (states.STOPPED, states.SHUTDOWN)
    assert driver.guests == {instance.uuid: states.SHUTDOWN}


def test_a_guest_that_does_not_stop(manager, conductor, driver, an_instance, caplog):
    """It is logged, the power state is what it is, and the next round tries again."""
    instance = an_instance(states.STOPPED, power_state=states.SHUTDOWN)
    driver.guests[instance.uuid] = states.RUNNING
    driver.fails["power_off"] = errors.HypervisorFailed(
        operation="power_off", instance_uuid=instance.uuid, host=HOST, reason="no"
    )
    manager.reconcile()
    assert conductor.rows[instance.uuid].power_state == states.RUNNING
    assert instance.uuid in caplog.text
    driver.fails.clear()
    manager.reconcile()
    assert conductor.rows[instance.uuid].power_state == states.SHUTDOWN


def test_one_trouble_does_not_stop_the_rest(manager, conductor, driver, an_instance, caplog):
    """The host logs an instance whose recovery failed, and goes on with the others."""
    one, other = an_instance(uuid="one"), an_instance(uuid="other")  # in the order in which they are looked at

    def refuse():
        raise errors.InstanceNotFound(instance_uuid=one.uuid)

    conductor.meanwhile["update_instance error"] = refuse  # only the first time
    with caplog.at_level("INFO"):
        manager.reconcile()
    assert conductor.rows[other.uuid].vm_state == states.ERROR
    assert one.uuid in caplog.text


# ---- while messages are served


def build(manager, conductor, ctxt, instance, image):
    """Have the host build an instance that the conductor has given to it."""
    conductor.rows.setdefault(instance.uuid, instance)
    manager.build_instance(ctxt, instance, image)


@pytest.mark.parametrize("step", ["allocate_network", "update_instance spawning", "update_instance active"])
def test_a_round_during_a_build(manager, conductor, driver, an_instance, image, ctxt, step):
    """A round at any step of a build leaves the build its guest."""
    instance = an_instance(states.BUILDING, states.SCHEDULING)
    conductor.meanwhile[step] = manager.reconcile
    build(manager, conductor, ctxt, instance, image)
    assert conductor.rows[instance.uuid].vm_state == states.ACTIVE
    assert driver.guests == {instance.uuid: states.RUNNING}
    assert "destroy" not in driver.asked


def test_a_round_while_the_hypervisor_works(manager, conductor, driver, an_instance, image, ctxt):
    """So does one while the hypervisor makes the guest, even if the conductor has lost sight of the instance."""
    instance = an_instance(states.BUILDING, states.SCHEDULING)

    def unseen():
        driver.guests[instance.uuid] = states.RUNNING
        row = conductor.rows.pop(instance.uuid)
        manager.reconcile()
        conductor.rows[instance.uuid] = row

    driver.meanwhile["spawn"] = unseen
    build(manager, conductor, ctxt, instance, image)
    assert driver.guests == {instance.uuid: states.RUNNING}
    assert "destroy" not in driver.asked


def test_a_build_between_the_two_lists(manager, conductor, driver, an_instance, image, ctxt):
    """A whole build between the list of guests and that of instances loses nothing."""
    instance = an_instance(states.BUILDING, states.SCHEDULING)
    del conductor.rows[instance.uuid]
    conductor.meanwhile["reconcile_host"] = lambda: build(manager, conductor, ctxt, instance, image)
    manager.reconcile()
    assert driver.guests == {instance.uuid: states.RUNNING}
    assert conductor.asked.count("reconcile_host") == 1  # it did not even look like a stranger


def test_a_stranger_that_is_built_here_meanwhile(manager, conductor, driver, an_instance, image, ctxt):
    """It was a stranger when the conductor looked, and is none when the host is about to destroy it."""
    instance = an_instance(states.BUILDING, states.SCHEDULING)
    del conductor.rows[instance.uuid]
    driver.guests[instance.uuid] = states.RUNNING
    conductor.departed = [instance.uuid]
    conductor.meanwhile["reconcile_host"] = lambda: build(manager, conductor, ctxt, instance, image)
    manager.reconcile()
    assert driver.guests == {instance.uuid: states.RUNNING}
    assert conductor.cleared == []


@pytest.mark.parametrize(
    ("vm_state", "guest", "ask", "ends"),
    [("active", states.RUNNING, "stop_instance", "stopped"), ("stopped", states.SHUTDOWN, "start_instance", "active")],
)
def test_an_operation_between_list_and_look(manager, conductor, driver, an_instance, ctxt, vm_state, guest, ask, ends):
    """What the owner asked for since the list was read stands: the compare-and-swap meets another generation."""
    instance = an_instance(vm_state, power_state=guest)
    driver.guests[instance.uuid] = guest

    def operate():
        begun = states.POWERING_OFF if ask == "stop_instance" else states.POWERING_ON
        conductor.write(instance.uuid, task_state=begun)
        getattr(manager, ask)(ctxt, conductor.rows[instance.uuid])

    conductor.meanwhile["reconcile_host"] = operate
    manager.reconcile()
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.task_state, row.power_state) == (ends, None, driver.guests[instance.uuid])


def test_a_start_while_the_guest_is_stopped(manager, conductor, driver, an_instance):
    """A start that is accepted while a guest is stopped that should not run is not undone: it comes after."""
    instance = an_instance(states.STOPPED, power_state=states.SHUTDOWN)
    driver.guests[instance.uuid] = states.RUNNING
    driver.meanwhile["power_off"] = lambda: conductor.write(instance.uuid, task_state=states.POWERING_ON)
    manager.reconcile()
    assert conductor.rows[instance.uuid].task_state == states.POWERING_ON


def test_a_guest_that_is_worked_on(manager, conductor, driver, an_instance, ctxt):
    """The host was taken for dead, so its reboot was ended; it is still at it, and its guest is off for a moment."""
    instance = an_instance(states.ACTIVE, states.REBOOTING, power_state=states.RUNNING)
    driver.guests[instance.uuid] = states.RUNNING

    def off():
        conductor.write(instance.uuid, task_state=None)
        driver.guests[instance.uuid] = states.SHUTDOWN
        manager.reconcile()

    driver.meanwhile["reboot SOFT"] = off
    manager.reboot_instance(ctxt, instance)
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.power_state, driver.guests[instance.uuid]) == (
        states.ACTIVE,
        states.RUNNING,
        states.RUNNING,
    )


# ---- the host was silent


@pytest.mark.parametrize(("silent_s", "taken_for_dead"), [(59, False), (61, True)])
def test_a_silent_host_is_told_so_by_its_own_clock(driver, conductor, listener, silent_s, taken_for_dead):
    """A heartbeat that comes after the others have taken the host for dead says so, once."""
    now = [NOW]
    manager = ComputeManager(HOST, driver, conductor, listener, down_after=60, clock=lambda: now[0])
    assert manager.report() is False
    now[0] += timedelta(seconds=silent_s)
    assert manager.report() is taken_for_dead
    assert manager.report() is False
