"""What the conductor records of a host's report, and which false claims an operator learns of."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import rpc
from mininova.conductor.checks.reports import Reports
from mininova.db import hosts, limits, task_log
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import ComputeNode, Service, TaskLog
from mininova.objects.task_log import DONE

SERVICE = Service(binary="nova-compute", host="host-1", topic="compute", availability_zone="nova")
NODE = ComputeNode(host="host-1", hypervisor_hostname="host-1", vcpus=8, memory_mb=4096, local_gb=100)


class Told(list):
    """Keeps the denials that it gets."""

    def __call__(self, denial):
        self.append(denial)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def reports(world, told):
    return Reports(world.db, checked=True, on_denied=told)


def known(world):
    """Give the recorded node and service."""
    with world.db.read() as tx:
        ((node, service),) = hosts.states(tx)
    return node, service


def test_a_report_cannot_change_what_operators_set(world):
    """A report cannot enable a service, set its ids or change the room claimed on its node."""
    said = SERVICE.replace(uuid="mine", disabled=True, forced_down=True, id=7)
    world.manager.report_state(world.ctxt, said, NODE.replace(uuid="mine", vcpus_used=8))
    node, service = known(world)
    assert (service.id, service.disabled, service.forced_down, node.vcpus_used) == (1, False, False, 0)
    assert "mine" not in (node.uuid, service.uuid)


def test_a_host_that_claims_more_stays_up(world, reports):
    """The heartbeat counts; of each resource the smaller of the report and the record counts."""
    reports.take(SERVICE, NODE)
    reports.take(SERVICE.replace(availability_zone="gold"), NODE.replace(vcpus=9, memory_mb=2048))
    node, service = known(world)
    assert (node.vcpus, node.memory_mb, node.local_gb) == (8, 2048, 100)
    assert (service.availability_zone, service.report_count) == ("nova", 2)


def test_an_operator_lowers_a_limit(world, reports):
    """The host's next report is limited by it, although it says the same as before."""
    reports.take(SERVICE, NODE)
    with world.db.write() as tx:
        limits.record(tx, "host-1", {"vcpus": 4})
    reports.take(SERVICE, NODE)
    assert known(world)[0].vcpus == 4


def test_a_false_claim_is_reported_once(world, reports, told, caplog):
    """The log and the list of denials do not have it again at each heartbeat."""
    reports.take(SERVICE, NODE)
    for _ in range(3):
        reports.take(SERVICE, NODE.replace(vcpus=9))
    (denial,) = told
    assert (denial.method, denial.object) == ("report_state", "host host-1")
    assert "its vcpus may be 8 at most, and it says 9; what is recorded of it counts" in denial.reason
    assert caplog.text.count("vcpus may be 8 at most") == 1


def test_each_change_of_a_claim_is_reported(world, reports, told):
    """A different claim is reported, and so is the same one after it was withdrawn."""
    for vcpus in (8, 9, 10, 10, 8, 10):
        reports.take(SERVICE, NODE.replace(vcpus=vcpus))
    assert [denial.reason.partition("says ")[2][:2].strip(";") for denial in told] == ["9", "10", "10"]


def test_each_host_has_claims_of_its_own(world, reports, told):
    """A process may run many hosts."""
    for host in ("host-1", "host-2"):
        service, node = SERVICE.replace(host=host), NODE.replace(host=host, hypervisor_hostname=host)
        reports.take(service, node)
        reports.take(service, node.replace(vcpus=9))
    assert [denial.object for denial in told] == ["host host-1", "host host-2"]


def test_without_identities_no_report_is_limited(world, told):
    """With one broker user for all, the conductor cannot tell which host reports, so it compares nothing."""
    reports = Reports(world.db, checked=False, on_denied=told)
    for vcpus in (8, 9):
        reports.take(SERVICE, NODE.replace(vcpus=vcpus))
    assert known(world)[0].vcpus == 9
    assert told == []


def test_a_claim_that_was_not_written_is_not_reported(world, reports, told):
    """If the write of a report failed, its claim is reported with the next."""
    reports.take(SERVICE, NODE)
    with pytest.raises(Exception, match="hypervisor_hostname"):
        reports.take(SERVICE, NODE.replace(vcpus=9, hypervisor_hostname=None))
    assert told == []


def test_the_manager_limits_reports(world, told):
    """A manager that tells callers apart limits their reports."""
    manager = world.checked(on_denied=told)
    for vcpus in (8, 9):
        manager.report_state(world.ctxt, SERVICE, NODE.replace(vcpus=vcpus))
    assert known(world)[0].vcpus == 8
    assert [type(denial) for denial in told] == [rpc.Denial]


HOUR, NOW = AuditPeriod.parse("hour"), datetime.now(UTC)
BEGUN = HOUR.beginning(NOW) - timedelta(hours=1)


def logs(world):
    """Give what is recorded of the last hour."""
    with world.db.read() as tx:
        return task_log.of_period(tx, BEGUN, BEGUN + timedelta(hours=1))


def test_how_far_a_host_is_with_a_period_is_kept_once(world):
    """What it says later of the same period counts."""
    log = TaskLog(host="host-1", period_beginning=BEGUN, period_ending=BEGUN + timedelta(hours=1), task_items=3)
    world.manager.record_task_log(world.ctxt, log)
    assert logs(world) == [log]
    done = log.replace(state=DONE, message="done")
    world.manager.record_task_log(world.ctxt, done)
    world.manager.record_task_log(world.ctxt, done)
    assert logs(world) == [done]


@pytest.mark.parametrize(("begins", "hours"), [(0, 0), (0, 2), (-0.5, 1), (2, 1), (-24 * 900, 1)])
def test_a_host_makes_no_periods_up(world, begins, hours):
    """One that is none, is not over or is long over has no row, so rows do not grow without end."""
    begun = BEGUN + timedelta(hours=begins)
    log = TaskLog(host="host-1", period_beginning=begun, period_ending=begun + timedelta(hours=hours))
    with pytest.raises(rpc.Forbidden, match="no period of its usage audit"):
        world.manager.record_task_log(world.ctxt, log)
