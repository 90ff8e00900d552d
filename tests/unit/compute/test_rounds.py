"""Each host looks at its guests in turn, and at once after a time in which it was not heard of."""

import queue
from datetime import timedelta

import pytest

from mininova.compute import rounds
from mininova.compute.manager import ComputeManager
from mininova.objects import ComputeNode
from mininova.service.concurrency.native import Native
from mininova.service.periodic import Periodic

from .conftest import NOW

LONG = 3600.0  # seconds: a round that does not come in a test
PATIENCE = 30.0  # seconds, for a round that comes


class Driver:
    """Has no guests, and puts down each look at them."""

    def __init__(self, looks):
        self._looks = looks

    def list_instance_uuids(self):
        self._looks.put("a look")
        return []

    def get_available_resource(self):
        return ComputeNode(host="host-1", hypervisor_hostname="host-1", memory_mb=4096)


@pytest.fixture
def looks():
    return queue.Queue()


@pytest.fixture
def clock():
    """The time, which the test sets."""
    return [NOW]


@pytest.fixture
def begin(looks, clock, conductor, listener):
    """Begin the rounds of one host."""
    periodic = Periodic(Native())

    def begin(*, report_interval=LONG, reconcile_interval=LONG):
        manager = ComputeManager("host-1", Driver(looks), conductor, listener, down_after=60.0, clock=lambda: clock[0])
        return rounds.begin(periodic, [manager], report_interval, reconcile_interval)

    yield begin
    periodic.stop()


def test_a_host_looks_again_and_again(begin, looks):
    """Once in each period."""
    begin(reconcile_interval=0.01)
    assert [looks.get(timeout=PATIENCE) for _ in range(3)] == ["a look"] * 3


def test_all_hosts_look_when_the_broker_is_back(begin, looks):
    """At once, and not in their next turn."""
    restored = begin()
    assert looks.empty()
    restored()
    assert looks.get(timeout=PATIENCE) == "a look"


def test_a_host_that_was_silent_looks(begin, looks, clock, conductor):
    """The others have taken it for dead; it finds out with the first heartbeat that comes through again."""
    reported = queue.Queue()
    conductor.report_state = lambda ctxt, service, node: reported.put(service)
    begin(report_interval=0.01)
    reported.get(timeout=PATIENCE)
    reported.get(timeout=PATIENCE)
    assert looks.empty()
    clock[0] += timedelta(seconds=61)
    assert looks.get(timeout=PATIENCE) == "a look"
