"""What a host may offer: an operator's record, or else its first report."""

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
    """Give what is stored of a report, and its claims beyond the limits."""
    return limits.keep(tx, service, node)


def test_nothing_is_limited_yet(tx):
    """A host that has not reported yet has no limits."""
    assert limits.get(tx, "host-1") == limits.Limits(host="host-1")
    assert limits.search(tx) == []


def test_the_first_report_is_the_limit(tx):
    """The first report sets the limit; the host may report less, and later as much again, but no more."""
    less = NODE.replace(vcpus=2, image_properties={})
    assert report(tx) == (SERVICE, NODE, "")
    assert report(tx, node=less) == (SERVICE, less, "")
    assert report(tx) == (SERVICE, NODE, "")
    assert report(tx, node=NODE.replace(vcpus=9)) == (SERVICE, NODE, "its vcpus may be 8 at most, and it says 9")


AMOUNTS = (
    "vcpus", "memory_mb", "local_gb", "cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio",
)  # fmt: skip


@pytest.mark.parametrize("name", AMOUNTS)
def test_no_amount_is_raised(tx, name):
    """A report may lower each amount but not raise it: the smaller value counts, one by one."""
    report(tx)
    said = getattr(NODE, name)
    less = NODE.replace(**{name: said / 2})
    assert report(tx, node=less) == (SERVICE, less, "")
    _, kept, beyond = report(tx, node=less.replace(**{name: said + 1, "running_vms": 3}))
    assert kept == NODE.replace(running_vms=3)
    assert name in beyond


def test_every_claim_beyond_the_limits_is_listed(tx):
    """The operator reads of each claim beyond the limits."""
    report(tx)
    _, kept, beyond = report(tx, SERVICE.replace(availability_zone="gold"), NODE.replace(vcpus=9, local_gb=50))
    assert kept == NODE.replace(local_gb=50)
    assert beyond == "its vcpus may be 8 at most, and it says 9; its zone is nova, and it says gold"


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
    """A host cannot add a trait, which attracts servers; it may report fewer."""
    report(tx)
    _, kept, beyond = report(tx, node=NODE.replace(**more))
    assert "not recorded of it" in beyond
    for name, values in more.items():
        recorded = getattr(NODE, name)
        assert all(set(value) <= set(recorded[each]) for each, value in getattr(kept, name).items()), values
    less = NODE.replace(cpu_info={"features": []}, image_properties={})
    assert report(tx, node=less) == (SERVICE, less, "")


def test_of_a_list_only_recorded_items_count(tx):
    """Of a list, the recorded items that the host reports count."""
    report(tx)
    said = {"model": "better", "features": ["gold", "vmx"], "traits": ["GOLD"]}
    _, kept, _ = report(tx, node=NODE.replace(cpu_info=said))
    assert kept.cpu_info == {"features": ["vmx"]}


def test_a_host_stays_in_its_zone(tx):
    """Only an operator can move a host to another zone, or to none."""
    report(tx)
    for zone in "gold", "", None:
        kept, _, beyond = report(tx, SERVICE.replace(availability_zone=zone))
        assert (kept, beyond) == (SERVICE, f"its zone is nova, and it says {zone}")
    limits.record(tx, "host-1", {"availability_zone": "gold"})
    gold = SERVICE.replace(availability_zone="gold")
    assert report(tx, gold) == (gold, NODE, "")


def test_an_operator_comes_first(tx):
    """An operator's record limits the first report already; the rest is as reported."""
    limits.record(tx, "host-1", {"vcpus": 4})
    _, kept, beyond = report(tx)
    assert kept == NODE.replace(vcpus=4)
    assert "vcpus may be 4 at most" in beyond
    assert limits.get(tx, "host-1").memory_mb == 4096


def test_an_operator_changes_one_limit(tx):
    """The others stay as they are; None means that the next report sets the limit."""
    report(tx)
    limits.record(tx, "host-1", {"memory_mb": 8192, "vcpus": None})
    more = NODE.replace(memory_mb=8192, vcpus=64)
    assert report(tx, node=more) == (SERVICE, more, "")
    assert limits.search(tx) == [limits.get(tx, "host-1")]
    assert (limits.get(tx, "host-1").vcpus, limits.get(tx, "host-1").local_gb) == (64, 100)


def test_forgotten_limits(tx):
    """A host whose limits were deleted is treated as new."""
    report(tx)
    limits.forget(tx, "host-1")
    more = NODE.replace(vcpus=64)
    assert report(tx, node=more) == (SERVICE, more, "")
