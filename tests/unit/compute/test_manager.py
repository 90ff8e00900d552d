"""The compute manager implements its interface, deletes in any state, and reports its host."""

from datetime import UTC, datetime

import pytest

from mininova import errors, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.rpc.server import check_manager
from mininova.service.upgrade_levels import spoken


def test_interface(manager):
    """Every method of ComputeAPI is there, with the arguments that are declared."""
    check_manager(ComputeAPI, manager)


@pytest.fixture
def instance(an_instance, driver):
    made = an_instance(states.ACTIVE, states.DELETING)
    driver.guests[made.uuid] = states.RUNNING
    return made


def test_delete(manager, conductor, driver, listener, instance, ctxt):
    """A delete destroys the guest first and the row last, and notifies of each."""
    manager.delete_instance(ctxt, instance)
    assert (driver.guests, conductor.rows) == ({}, {})
    assert listener.events == ["delete.start", "shutdown.start", "shutdown.end", "delete.end"]
    end = listener.heard[-1][2]
    assert (end["state"], end["state_description"]) == ("deleted", "")
    assert end["deleted_at"] == "2026-01-02 03:04:05+00:00"


def test_delete_notifies_of_the_usage_since_the_period_began(manager, listener, an_instance, ctxt):
    """Before it deletes an instance that ran, the host notifies of the usage since the period began."""
    manager.delete_instance(ctxt, an_instance(launched_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert listener.events == ["exists", "delete.start", "shutdown.start", "shutdown.end", "delete.end"]
    exists = listener.heard[0][2]
    assert exists["audit_period_beginning"] == "2026-01-02 03:00:00+00:00"
    assert exists["audit_period_ending"] == "2026-01-02 03:04:05+00:00"


def test_delete_twice(manager, conductor, instance, ctxt):
    """A delete that is delivered twice is harmless."""
    manager.delete_instance(ctxt, instance)
    manager.delete_instance(ctxt, instance)
    assert conductor.faults == {}


def test_delete_fails(manager, conductor, driver, listener, instance, ctxt, is_fault):
    """A guest that cannot be destroyed leaves the instance in ERROR, with a fault."""
    driver.fails["destroy"] = errors.HypervisorFailed(
        operation="destroy", instance_uuid=instance.uuid, host="host-1", reason="out of luck"
    )
    manager.delete_instance(ctxt, instance)
    assert conductor.rows[instance.uuid].vm_state == states.ERROR
    assert is_fault(conductor.faults[instance.uuid], "out of luck")
    assert listener.events[-1] == "delete.error"


def test_delete_fails_and_is_over(manager, conductor, driver, instance, ctxt):
    """If the row is already gone, a guest that cannot be destroyed leaves no fault."""
    conductor.rows.clear()
    driver.fails["destroy"] = ZeroDivisionError()
    manager.delete_instance(ctxt, instance)
    assert conductor.faults == {}


def test_delete_during_build(manager, conductor, driver, an_instance, image, ctxt):
    """A delete does not wait for a build: it ends while the hypervisor still spawns, and leaves no guest."""
    building = an_instance(states.BUILDING, states.SCHEDULING)

    def delete():
        conductor.write(building.uuid, task_state=states.DELETING)
        manager.delete_instance(ctxt, conductor.rows[building.uuid])
        assert conductor.rows == {}

    driver.meanwhile["spawn"] = delete
    manager.build_instance(ctxt, building, image)
    assert driver.guests == {}


@pytest.mark.parametrize(
    ("length", "tail"), [(None, "one\ntwo\nthree"), (2, "two\nthree"), (9, "one\ntwo\nthree"), (0, "")]
)
def test_console_output(manager, instance, ctxt, length, tail):
    """The answer is the whole console, or the number of last lines that was asked for."""
    assert manager.get_console_output(ctxt, instance, length) == tail


def test_diagnostics(manager, instance, ctxt):
    """Diagnostics are the driver's."""
    assert manager.get_diagnostics(ctxt, instance) == {"uptime": 5}


def test_report(manager, conductor):
    """A heartbeat names the service as Nova's clients do, its zone, its versions, and the host's capacity."""
    manager.report()
    service, node = conductor.reports[0]
    assert (service.binary, service.host, service.topic) == ("nova-compute", "host-1", "compute")
    assert (service.availability_zone, service.versions) == ("nova", spoken(ComputeAPI))
    assert (node.host, node.memory_mb) == ("host-1", 4096)
