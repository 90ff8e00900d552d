"""When a compute process starts, it makes its instances and its guests agree."""

import pytest

from mininova import errors, states


def test_nothing_to_do(manager, conductor, driver, an_instance):
    """An instance that agrees with its guest stays as it is."""
    instance = an_instance(states.ACTIVE)
    driver.guests[instance.uuid] = states.RUNNING
    manager.init_host()
    assert conductor.rows[instance.uuid] == instance
    assert driver.asked == []


def test_stranger(manager, driver, caplog):
    """The host destroys a guest that has no instance here, and logs it."""
    driver.guests["somebody"] = states.RUNNING
    manager.init_host()
    assert driver.guests == {}
    assert "somebody" in caplog.text


@pytest.mark.parametrize(
    ("vm_state", "task_state"),
    [("building", "spawning"), ("active", "powering-off"), ("active", "reboot_started"), ("active", "deleting")],
)
def test_what_is_under_way_is_left_alone(manager, conductor, driver, an_instance, vm_state, task_state):
    """An operation under way is left to the message that will come again, and its guest with it."""
    instance = an_instance(vm_state, task_state)
    driver.guests[instance.uuid] = states.RUNNING
    manager.init_host()
    assert conductor.rows[instance.uuid] == instance
    assert driver.guests == {instance.uuid: states.RUNNING}


@pytest.mark.parametrize(
    ("power_state", "vm_state"),
    [(states.SHUTDOWN, "stopped"), (states.CRASHED, "stopped"), (states.PAUSED, "active"), (None, "error")],
)
def test_not_running(manager, conductor, driver, an_instance, power_state, vm_state):
    """An active instance whose guest is not running gets the hypervisor's state."""
    instance = an_instance(states.ACTIVE)
    if power_state is not None:
        driver.guests[instance.uuid] = power_state
    manager.init_host()
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.power_state) == (vm_state, power_state or states.NOSTATE)


def test_one_trouble_does_not_stop_the_rest(manager, conductor, driver, an_instance, caplog):
    """The host logs an instance whose recovery failed, and goes on with the others."""
    one, other = an_instance(states.ACTIVE), an_instance(states.ACTIVE)
    conflict = errors.InstanceNotFound(instance_uuid=one.uuid)

    def refuse():
        raise conflict

    conductor.meanwhile["update_instance error"] = refuse  # only the first time
    manager.init_host()
    assert conductor.rows[other.uuid].vm_state == states.ERROR
    assert one.uuid in caplog.text
