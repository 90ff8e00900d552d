"""Filters narrow the candidates down once; each chosen host has less room for the next instance."""

import random

import pytest

from mininova.scheduler.filters import BaseHostFilter
from mininova.scheduler.host_manager import Candidates


class Counting(BaseHostFilter):
    """Passes every host, and counts its calls."""

    def __init__(self):
        self.asked = 0

    def host_passes(self, host_state, request_spec):
        """Count."""
        self.asked += 1
        return True


class CountingRoom(Counting):
    """The same, as a filter that looks at room."""

    run_filter_once_per_request = False


@pytest.fixture
def candidates(a_host_state, a_spec):
    """Make two hosts candidates, with filters of the test's own."""

    def make(*filters):
        hosts = [a_host_state("host-1"), a_host_state("host-2")]
        return Candidates(hosts, a_spec(), filters, [], random.Random(1), {})

    return make


def test_filters_run_once(candidates):
    """A filter that does not look at room is called once for each host, for any number of instances."""
    once, again = Counting(), CountingRoom()
    chosen_from = candidates(once, again)
    for _ in range(3):
        chosen_from.take_best(1)
    assert (once.asked, again.asked) == (2, 6)


def test_takes_room(candidates):
    """The host that is taken has less room for the next instance; the alternates are as they were."""
    first, second = candidates().take_best(2)
    assert (first.memory_mb_used, second.memory_mb_used) == (1024, 0)


def test_dropped_host_stays_out(candidates):
    """A host whose claim was lost is not chosen again."""
    chosen_from = candidates()
    (dropped,) = chosen_from.take_best(1)
    chosen_from.drop(dropped)
    assert {chosen_from.take_best(2)[0].host for _ in range(5)} == {"host-1", "host-2"} - {dropped.host}
