"""Filters narrow the candidates down once; each chosen host has less room for the next instance."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from mininova import errors
from mininova.scheduler.candidates import Candidates
from mininova.scheduler.filters import BaseHostFilter
from mininova.scheduler.filters.core_filter import CoreFilter
from mininova.scheduler.neighbours import NOBODY
from mininova.scheduler.weights.cpu import CPUWeigher


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

    def make(*filters, count=2, enough=10, subset=1):
        hosts = [a_host_state(f"host-{number}") for number in range(1, count + 1)]
        sizes, dice = {"enough": enough, "subset": subset}, random.Random(1)
        return Candidates(hosts, NOBODY, a_spec(), filters, [CPUWeigher(1.0)], dice, {}, **sizes)

    return make


def test_filters_run_once(candidates):
    """A filter that does not look at room is called once for each host; one that does, again for each that is best."""
    once, again = Counting(), CountingRoom()
    chosen_from = candidates(once, again)
    for _ in range(3):
        chosen_from.take_best(1)
    assert (once.asked, again.asked) == (2, 2 + 3)


def test_takes_room(candidates):
    """The host that is taken has less room for the next instance; the alternates are as they were."""
    first, second = candidates().take_best(2)
    assert (first.memory_mb_used, second.memory_mb_used) == (1024, 0)


def test_requests_do_not_share_what_they_take(candidates):
    """What all requests see does not change when one of them takes room."""
    chosen_from = candidates()
    chosen = chosen_from.take_best(1)[0]
    assert chosen_from.at(chosen.host).memory_mb_used == 0


def test_a_host_left_out(candidates):
    """A host whose claims were lost is not chosen."""
    chosen_from = candidates()
    chosen_from.leave_out(["host-1"])
    assert {chosen_from.take_best(2)[0].host for _ in range(5)} == {"host-2"}


def test_enough_hosts_are_asked(candidates):
    """When enough hosts have passed, no other is asked; and those are of all the cloud, not of one end."""
    counting = Counting()
    chosen = candidates(counting, count=100, enough=10).take_best(10)
    numbers = sorted(int(each.host.removeprefix("host-")) for each in chosen)
    assert counting.asked == 10
    assert {after - before for before, after in pairwise(numbers)} == {10}


def test_the_others_are_asked_when_these_are_full(candidates):
    """Every host of the cloud is found in the end."""
    chosen_from = candidates(CoreFilter(), count=10, enough=3)
    assert Counter(chosen_from.take_best(1)[0].host for _ in range(80)) == {f"host-{n}": 8 for n in range(1, 11)}
    with pytest.raises(errors.NoValidHost, match="after 80 of the instances CoreFilter left none of 10 hosts"):
        chosen_from.take_best(1)


def test_drawn_from_the_best(candidates):
    """With a subset, the host is drawn from so many of the best; and there are as many alternates as ever."""
    chosen_from = candidates(count=4, subset=3)
    draws = [chosen_from.take_best(2) for _ in range(8)]
    assert {len(draw) for draw in draws} == {2}
    assert any(chosen.vcpus_used > other.vcpus_used + 1 for chosen, other in draws)  # it was not the best
