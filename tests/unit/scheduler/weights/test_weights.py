"""Weights order hosts: each weigher gives from zero to its multiplier, the sum counts, and chance orders equals."""

import random

import pytest

from mininova.scheduler.candidates import Candidates
from mininova.scheduler.neighbours import NOBODY, Neighbours
from mininova.scheduler.weights import normalised
from mininova.scheduler.weights.build_failure import BuildFailureWeigher
from mininova.scheduler.weights.cpu import CPUWeigher
from mininova.scheduler.weights.others import DiskWeigher, HypervisorVersionWeigher, IoOpsWeigher, NumInstancesWeigher
from mininova.scheduler.weights.ram import RAMWeigher


@pytest.fixture
def hosts(a_host_state):
    """Make three hosts: small, middling and large in memory; the other way round in vCPUs."""
    sizes = {"small": (1024, 16), "middle": (2048, 8), "large": (5120, 4)}
    return [a_host_state(host, memory_mb=memory, vcpus=vcpus) for host, (memory, vcpus) in sizes.items()]


def order(hosts, spec, weighers, count=3, seed=1):
    candidates = Candidates(hosts, NOBODY, spec, [], weighers, random.Random(seed), {}, enough=10)
    return [host.host for host in candidates.take_best(count)]


def test_normalised(hosts, a_spec):
    """The best host gets the multiplier, the worst zero, and the others a share in proportion."""
    assert normalised([RAMWeigher(2.0).weigh(host, a_spec()) for host in hosts], 2.0) == [0.0, 0.5, 2.0]


def test_equals_have_zero():
    """If all hosts are equal to a weigher, each gets zero."""
    assert normalised([7, 7], 2.0) == [0.0, 0.0]


def test_ram(hosts, a_spec):
    """More free memory is better, or worse with a negative multiplier."""
    assert order(hosts, a_spec(), [RAMWeigher(1.0)]) == ["large", "middle", "small"]
    assert order(hosts, a_spec(), [RAMWeigher(-1.0)]) == ["small", "middle", "large"]


def test_cpu(hosts, a_spec):
    """More free vCPUs are better."""
    assert order(hosts, a_spec(), [CPUWeigher(1.0)]) == ["small", "middle", "large"]


@pytest.mark.parametrize(
    ("weigher", "fields"),
    [
        (DiskWeigher, {"local_gb": 200}),
        (IoOpsWeigher, {"neighbours": Neighbours(at_work={"better": 2})}),
        (NumInstancesWeigher, {"instances_used": 1}),
        (HypervisorVersionWeigher, {"hypervisor_version": 2000}),
    ],
)
def test_more_is_better(a_host_state, a_spec, weigher, fields):
    """Each has its figure; those that count against a host by default have a negative multiplier."""
    hosts = [a_host_state("worse"), a_host_state("better", **fields)]
    assert order(hosts, a_spec(), [weigher(1.0)])[0] == "better"
    assert order(hosts, a_spec(), [weigher(-1.0)])[0] == "worse"


def test_hosts_where_builds_failed_come_last(a_host_state, a_spec):
    """Each failure counts more than all room, and a host that says it had millions hides no other's."""
    failed = {"none": 0, "one": 1, "ten": 10, "liar": 2**31 - 1}
    hosts = [
        a_host_state(host, memory_mb=1024 * (1 + count % 11), failed_builds=count) for host, count in failed.items()
    ]
    assert order(hosts, a_spec(), [RAMWeigher(1.0), BuildFailureWeigher(1e6)], count=4) == [*failed]
    assert order(hosts, a_spec(), [RAMWeigher(1.0), BuildFailureWeigher(0.0)])[0] == "ten"


def test_added_up(hosts, a_spec):
    """Weights are multiplied and added up."""
    assert order(hosts, a_spec(), [RAMWeigher(1.0), CPUWeigher(3.0)])[0] == "small"
    assert order(hosts, a_spec(), [RAMWeigher(3.0), CPUWeigher(1.0)])[0] == "large"


def test_no_weighers(hosts, a_spec):
    """With every multiplier at zero, chance alone orders the hosts."""
    firsts = {order(hosts, a_spec(), [RAMWeigher(0.0)], seed=seed)[0] for seed in range(20)}
    assert firsts == {"small", "middle", "large"}


def test_same_dice_same_order(hosts, a_spec):
    """The same random numbers give the same order."""
    assert order(hosts, a_spec(), [], seed=7) == order(hosts, a_spec(), [], seed=7)


def test_only_the_best(hosts, a_spec):
    """The answer has no more hosts than asked for."""
    assert order(hosts, a_spec(), [RAMWeigher(1.0)], count=2) == ["large", "middle"]
