"""Operations in place go through their states, notify, and are harmless when they come twice or late."""

import pytest

from mininova import errors, states
from mininova.objects import ImageMeta

IMAGE = ImageMeta(id="7f3d", name="cirros")

#             message            arguments   from      task_state        the driver      its events   afterwards
CASES = {
    "stop": ("stop_instance", (), "active", "powering-off", "power_off", "power_off", "stopped"),
    "start": ("start_instance", (), "stopped", "powering-on", "power_on", "power_on", "active"),
    "reboot": ("reboot_instance", ("SOFT",), "active", "rebooting", "reboot SOFT", "reboot", "active"),
    "hard_reboot": ("reboot_instance", ("HARD",), "stopped", "rebooting_hard", "reboot HARD", "reboot", "active"),
    "pause": ("pause_instance", (), "active", "pausing", "pause", "pause", "paused"),
    "unpause": ("unpause_instance", (), "paused", "unpausing", "unpause", "unpause", "active"),
    "suspend": ("suspend_instance", (), "active", "suspending", "suspend", "suspend", "suspended"),
    "resume": ("resume_instance", (), "suspended", "resuming", "resume", "resume", "active"),
    "rescue": ("rescue_instance", (IMAGE,), "active", "rescuing", "rescue cirros", "rescue", "rescued"),
    "unrescue": ("unrescue_instance", (), "rescued", "unrescuing", "unrescue", "unrescue", "active"),
    "rebuild": ("rebuild_instance", (IMAGE,), "error", "rebuilding", "rebuild cirros", "rebuild", "active"),
    "change_password": (
        "set_admin_password", (), "active", "updating_password", "set_admin_password", None, "active"
    ),
    "soft_delete": ("soft_delete_instance", (), "active", "soft-deleting", "power_off", "soft_delete", "soft-delete"),
    "restore": ("restore_instance", (), "soft-delete", "restoring", "power_on", "restore", "active"),
}  # fmt: skip
#: What the driver is asked before that.
FIRST = {"rebuild": ["destroy"]}
GUESTS = {"active": states.RUNNING, "paused": states.POWER_PAUSED, "suspended": states.POWER_SUSPENDED}


def events(event, *phases):
    """Name the events of an operation; Nova has none for some."""
    return [f"{event}.{phase}" for phase in phases] if event else []


@pytest.fixture(params=CASES)
def operation(request):
    return request.param


@pytest.fixture
def instance(operation, an_instance, driver):
    """Make an instance whose operation was just requested."""
    _, _, vm_state, task_state, *_ = CASES[operation]
    made = an_instance(vm_state, task_state)
    driver.guests[made.uuid] = GUESTS.get(vm_state, states.SHUTDOWN)
    return made


@pytest.fixture
def carry_out(operation, manager, ctxt):
    """Deliver the operation's message."""
    method, arguments, *_ = CASES[operation]
    return lambda instance: getattr(manager, method)(ctxt, instance, *arguments)


def test_done(operation, carry_out, conductor, driver, listener, instance):
    """The driver is called, listeners hear the start and the end, and the instance has its final state."""
    carry_out(instance)
    *_, asked, event, vm_state = CASES[operation]
    row = conductor.rows[instance.uuid]
    assert driver.asked == [*FIRST.get(operation, []), asked]
    assert listener.events == events(event, "start", "end")
    assert (row.vm_state, row.task_state, row.power_state) == (vm_state, None, driver.guests[instance.uuid])


def test_every_step_is_written(operation, carry_out, conductor, instance):
    """The host writes the steps of the table of states, or the api's step again where there is no other."""
    carry_out(instance)
    passes = states.under_way(operation)
    steps = [*(passes[1:] or passes), states.finish(operation, instance.vm_state).get("vm_state")]
    assert conductor.asked == [f"update_instance {step}" for step in steps]


def test_delivered_again_when_done(carry_out, conductor, driver, instance):
    """A second delivery finds it done and does not touch the guest."""
    carry_out(instance)
    asked, row = list(driver.asked), conductor.rows[instance.uuid]
    carry_out(instance)
    assert driver.asked == asked
    assert conductor.rows[instance.uuid] == row


def test_delivered_again_halfway(operation, carry_out, conductor, driver, instance):
    """A second delivery after the process died in the middle takes the operation up and ends it."""
    conductor.write(instance.uuid, task_state=states.under_way(operation)[-1])
    carry_out(instance)
    assert conductor.rows[instance.uuid].task_state is None
    assert driver.asked.count(CASES[operation][4]) == 1


def test_answers_that_are_lost_again_and_again(operation, carry_out, conductor, driver, instance):
    """A step whose answer is lost finds the row moved when it is sent again: the operation goes on from there."""
    passes = states.under_way(operation)
    step = f"update_instance {(passes[1:] or passes)[0]}"

    def lose_two():
        conductor.write(instance.uuid, task_state=passes[-1])
        conductor.meanwhile[step] = lambda: conductor.write(instance.uuid, task_state=passes[-1])

    conductor.meanwhile[step] = lose_two
    carry_out(instance)
    assert (conductor.asked.count("get_instance"), driver.asked.count(CASES[operation][4])) == (2, 1)
    assert conductor.rows[instance.uuid].task_state is None


def test_late(carry_out, conductor, driver, instance):
    """A message that comes during another operation changes nothing."""
    conductor.write(instance.uuid, task_state=states.SPAWNING)
    carry_out(instance)
    assert driver.asked == []


def test_delete_wins(carry_out, conductor, driver, listener, instance):
    """A delete that came first ends the operation without an error."""
    conductor.write(instance.uuid, task_state=states.DELETING)
    carry_out(instance)
    assert driver.asked == []
    assert listener.events == []


def test_delete_wins_in_the_middle(operation, carry_out, conductor, driver, listener, instance):
    """A guest that is destroyed meanwhile is no failure."""
    *_, asked, event, _ = CASES[operation]
    driver.fails[asked] = errors.GuestGone(instance_uuid=instance.uuid)
    carry_out(instance)
    assert conductor.faults == {}
    assert listener.events == events(event, "start")


def test_fails(operation, carry_out, conductor, driver, listener, instance, is_fault):
    """A failure leaves the instance in the state of the table, with a fault, and notifies."""
    *_, asked, event, _ = CASES[operation]
    driver.fails[asked] = errors.HypervisorFailed(
        operation=operation, instance_uuid=instance.uuid, host="host-1", reason="out of luck"
    )
    carry_out(instance)
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.task_state) == (states.fail(operation).get("vm_state", instance.vm_state), None)
    assert is_fault(conductor.faults[instance.uuid], "out of luck")
    assert listener.events == events(event, "start", "error")


@pytest.mark.parametrize("operation", [it for it in CASES if it != "rebuild"], indirect=True)
def test_no_guest(carry_out, conductor, driver, instance, is_fault):
    """An instance that has lost its guest gets a fault that says so."""
    driver.guests.clear()
    carry_out(instance)
    assert is_fault(conductor.faults[instance.uuid], "No guest runs")


def test_hard_reboot_over_soft(manager, conductor, driver, an_instance, ctxt):
    """A hard reboot that comes during a soft one takes over; the soft one ends without an error."""
    instance = an_instance(states.ACTIVE, states.REBOOTING)
    driver.guests[instance.uuid] = states.RUNNING
    driver.meanwhile["reboot SOFT"] = lambda: conductor.write(instance.uuid, task_state=states.REBOOTING_HARD)
    manager.reboot_instance(ctxt, instance, "SOFT")
    assert conductor.rows[instance.uuid].task_state == states.REBOOTING_HARD
    manager.reboot_instance(ctxt, conductor.rows[instance.uuid], "HARD")
    assert conductor.rows[instance.uuid].task_state is None
    assert driver.asked == ["reboot SOFT", "reboot HARD"]
