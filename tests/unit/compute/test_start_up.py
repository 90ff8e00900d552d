"""When a compute process starts, it makes its instances and its guests agree."""

import pytest

from mininova import errors, states
from mininova.objects import InstanceAction


def test_nothing_to_do(manager, conductor, driver, an_instance):
    """An instance that agrees with its guest stays as it is."""
    instance = an_instance(states.ACTIVE)
    driver.guests[instance.uuid] = states.RUNNING
    manager.init_host()
    assert conductor.rows[instance.uuid] == instance
    assert driver.asked == []


def test_interrupted_delete(manager, conductor, driver, an_instance):
    """The host runs a delete again that was interrupted."""
    instance = an_instance(states.ACTIVE, states.DELETING)
    driver.guests[instance.uuid] = states.RUNNING
    manager.init_host()
    assert conductor.rows == {}
    assert driver.guests == {}


def test_stranger(manager, driver, caplog):
    """The host destroys a guest that has no instance here, and logs it."""
    driver.guests["somebody"] = states.RUNNING
    manager.init_host()
    assert driver.guests == {}
    assert "somebody" in caplog.text


def test_build_is_left_alone(manager, conductor, driver, an_instance):
    """A build under way, and its guest, are left alone: its message will come again."""
    instance = an_instance(states.BUILDING, states.SPAWNING)
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


@pytest.mark.parametrize(
    ("vm_state", "task_state", "asked", "ends"),
    [
        ("active", "powering-off", "power_off", "stopped"),
        ("stopped", "powering-on", "power_on", "active"),
        ("active", "rebooting", "reboot SOFT", "active"),
        ("active", "reboot_started", "reboot SOFT", "active"),
        ("error", "reboot_pending_hard", "reboot HARD", "active"),
    ],
)
def test_power_operation_is_finished(manager, conductor, driver, an_instance, vm_state, task_state, asked, ends):
    """The host finishes a power operation that was interrupted."""
    instance = an_instance(vm_state, task_state)
    driver.guests[instance.uuid] = states.RUNNING
    manager.init_host()
    row = conductor.rows[instance.uuid]
    assert driver.asked == [asked]
    assert (row.vm_state, row.task_state) == (ends, None)


def test_an_interrupted_operation_goes_on_under_its_request(manager, conductor, driver, listener, an_instance):
    """The conductor has recorded the request of the operation; without a record, the service acts in its own name."""
    ours, unrecorded = an_instance("active", "powering-off"), an_instance("active", "powering-off")
    conductor.actions = [
        InstanceAction(instance_uuid=ours.uuid, action="stop", request_id="req-7", user_id="ann", project_id="demo")
    ]
    driver.guests |= {ours.uuid: states.RUNNING, unrecorded.uuid: states.RUNNING}
    manager.init_host()
    requests = {payload["instance_id"]: ctxt for ctxt, payload in listener.contexts}
    assert (requests[ours.uuid].request_id, requests[ours.uuid].user_id) == ("req-7", "ann")
    assert requests[unrecorded.uuid].is_admin


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
