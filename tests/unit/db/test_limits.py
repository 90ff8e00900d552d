"""What a host may offer: what an operator said, or else its first report."""

import pytest

from mininova.db import limits
from mininova.objects import ComputeNode, Service

SERVICE = Service(binary="nova-compute", host="host-1", topic="compute", availability_zone="nova")
NODE = ComputeNode(
    host="host-1",
    hypervisor_hostname="host-1",
    vcpus=8,
    memory_mb=4096,
    local_gb=100,
    image_properties={"hw_architecture": ["x86_64"]},
    cpu_info={"model": "fake", "features": ["vmx"]},
)


def report(tx, service=SERVICE, node=NODE):
    """Do with a report what the conductor does; give what it exceeds."""
    known = limits.get(tx, "host-1")
    reason = limits.exceeded(known, service, node)
    if not reason:
        limits.learn(tx, known, service, node)
    return reason


def test_nothing_is_limited_yet(tx):
    """Of a host that nobody has heard of, nothing is recorded."""
    assert limits.get(tx, "host-1") == limits.Limits(host="host-1")
    assert limits.search(tx) == []


def test_the_first_report_is_the_limit(tx):
    """What nobody has recorded, the first report does; less, and then as much again, is no more."""
    assert report(tx) == ""
    assert report(tx, node=NODE.replace(vcpus=2, image_properties={})) == ""
    assert report(tx) == ""
    assert "vcpus may be 8 at most, and it says 9" in report(tx, node=NODE.replace(vcpus=9))


@pytest.mark.parametrize("name", limits.AMOUNTS)
def test_no_amount_is_raised(tx, name):
    """A report may lower each amount, and raise none."""
    report(tx)
    said = getattr(NODE, name)
    assert report(tx, node=NODE.replace(**{name: said / 2})) == ""
    assert name in report(tx, node=NODE.replace(**{name: said + 1}))


@pytest.mark.parametrize(
    "more",
    [
        {"image_properties": {"hw_architecture": ["x86_64", "s390x"]}},
        {"image_properties": {"hypervisor_type": ["kvm"]}},
        {"cpu_info": {"model": "better"}},
        {"cpu_info": {"features": ["vmx", "gold"]}},
        {"cpu_info": {"traits": ["GOLD"]}},
    ],
)
def test_no_trait_is_added(tx, more):
    """What attracts servers of a kind is not for the host to add; it may say less."""
    report(tx)
    assert "not recorded of it" in report(tx, node=NODE.replace(**more))
    assert report(tx, node=NODE.replace(cpu_info={"features": []}, image_properties={})) == ""


def test_a_host_stays_in_its_zone(tx):
    """Another zone is an operator's to say."""
    report(tx)
    assert "its zone is nova, and it says gold" in report(tx, SERVICE.replace(availability_zone="gold"))
    limits.record(tx, "host-1", {"availability_zone": "gold"})
    assert report(tx, SERVICE.replace(availability_zone="gold")) == ""


def test_an_operator_comes_first(tx):
    """What an operator has recorded counts for the first report already; the rest is what it says."""
    limits.record(tx, "host-1", {"vcpus": 4})
    assert "vcpus may be 4 at most" in report(tx)
    assert report(tx, node=NODE.replace(vcpus=4)) == ""
    assert limits.get(tx, "host-1").memory_mb == 4096


def test_an_operator_changes_one_limit(tx):
    """The others stay as they are; None has the next report say."""
    report(tx)
    limits.record(tx, "host-1", {"memory_mb": 8192, "vcpus": None})
    assert report(tx, node=NODE.replace(memory_mb=8192, vcpus=64)) == ""
    assert limits.search(tx) == [limits.get(tx, "host-1")]
    assert (limits.get(tx, "host-1").vcpus, limits.get(tx, "host-1").local_gb) == (64, 100)


def test_forgotten_limits(tx):
    """A host whose limits are forgotten is as new."""
    report(tx)
    limits.forget(tx, "host-1")
    assert report(tx, node=NODE.replace(vcpus=64)) == ""
