"""What is recorded of what a host reports, and what an operator hears of the rest."""

import pytest

from mininova import rpc
from mininova.conductor.checks.reports import Reports
from mininova.db import hosts, limits
from mininova.objects import ComputeNode, Service

SERVICE = Service(binary="nova-compute", host="host-1", topic="compute", availability_zone="nova")
NODE = ComputeNode(host="host-1", hypervisor_hostname="host-1", vcpus=8, memory_mb=4096, local_gb=100)


class Told(list):
    """Keeps the denials that it is told of."""

    def __call__(self, denial):
        self.append(denial)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def reports(world, told):
    return Reports(world.db, checked=True, on_denied=told)


def known(world):
    """Give the node and the service as they are recorded."""
    with world.db.read() as tx:
        ((node, service),) = hosts.states(tx)
    return node, service


def test_a_report_says_nothing_of_what_is_an_operators(world):
    """Whether a service is enabled, its ids and what is promised on its node are not for a report to say."""
    said = SERVICE.replace(uuid="mine", disabled=True, forced_down=True, id=7)
    world.manager.report_state(world.ctxt, said, NODE.replace(uuid="mine", vcpus_used=8))
    node, service = known(world)
    assert (service.id, service.disabled, service.forced_down, node.vcpus_used) == (1, False, False, 0)
    assert "mine" not in (node.uuid, service.uuid)


def test_a_host_that_says_more_stays_up(world, reports):
    """The heartbeat counts, and of each resource the lesser of what is said and what is recorded."""
    reports.take(SERVICE, NODE)
    reports.take(SERVICE.replace(availability_zone="gold"), NODE.replace(vcpus=9, memory_mb=2048))
    node, service = known(world)
    assert (node.vcpus, node.memory_mb, node.local_gb) == (8, 2048, 100)
    assert (service.availability_zone, service.report_count) == ("nova", 2)


def test_an_operator_lowers_a_limit(world, reports):
    """The host's next report is kept to it, although it says what it always said."""
    reports.take(SERVICE, NODE)
    with world.db.write() as tx:
        limits.record(tx, "host-1", {"vcpus": 4})
    reports.take(SERVICE, NODE)
    assert known(world)[0].vcpus == 4


def test_a_claim_is_told_once(world, reports, told, caplog):
    """Neither the log nor the list of denials has it at each heartbeat."""
    reports.take(SERVICE, NODE)
    for _ in range(3):
        reports.take(SERVICE, NODE.replace(vcpus=9))
    (denial,) = told
    assert (denial.method, denial.object) == ("report_state", "host host-1")
    assert "its vcpus may be 8 at most, and it says 9; what is recorded of it counts" in denial.reason
    assert caplog.text.count("vcpus may be 8 at most") == 1


def test_each_change_of_a_claim_is_told(world, reports, told):
    """Another claim is news, and so is the same one after it was given up."""
    for vcpus in (8, 9, 10, 10, 8, 10):
        reports.take(SERVICE, NODE.replace(vcpus=vcpus))
    assert [denial.reason.partition("says ")[2][:2].strip(";") for denial in told] == ["9", "10", "10"]


def test_each_host_has_claims_of_its_own(world, reports, told):
    """A process may stand for many hosts."""
    for host in ("host-1", "host-2"):
        service, node = SERVICE.replace(host=host), NODE.replace(host=host, hypervisor_hostname=host)
        reports.take(service, node)
        reports.take(service, node.replace(vcpus=9))
    assert [denial.object for denial in told] == ["host host-1", "host host-2"]


def test_where_callers_are_not_told_apart_nothing_is_kept(world, told):
    """One broker user for all vouches for nobody, so nothing is recorded of whom it might be."""
    reports = Reports(world.db, checked=False, on_denied=told)
    for vcpus in (8, 9):
        reports.take(SERVICE, NODE.replace(vcpus=vcpus))
    assert known(world)[0].vcpus == 9
    assert told == []


def test_what_could_not_be_written_is_not_told(world, reports, told):
    """The claim of a report that failed is told with the next that is taken."""
    reports.take(SERVICE, NODE)
    with pytest.raises(Exception, match="hypervisor_hostname"):
        reports.take(SERVICE, NODE.replace(vcpus=9, hypervisor_hostname=None))
    assert told == []


def test_the_conductor_tells_who_it_was_given(world, told):
    """The manager's reports are kept to limits where callers are told apart."""
    manager = world.checked(on_denied=told)
    for vcpus in (8, 9):
        manager.report_state(world.ctxt, SERVICE, NODE.replace(vcpus=vcpus))
    assert known(world)[0].vcpus == 8
    assert [type(denial) for denial in told] == [rpc.Denial]
