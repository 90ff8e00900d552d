"""Rounds are spread over their period, and nobody in them waits for anybody else."""

import pytest

from mininova.service.periodic import Rounds


class Clock:
    """Tells the time that the test sets."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_round(rounds, clock, count):
    """Live through some turns; give the moments at which they came."""
    came = []
    for _ in range(count):
        clock.now += rounds.left()
        if (work := rounds.turn()) is not None:
            work()
        came.append(clock.now)
    return came


def test_each_is_done_once_in_a_period(clock):
    """In their order, at distances of an equal share of it or nearly so."""
    done = []
    works = [lambda name=name: done.append(name) for name in "abcd"]

    came = a_round(Rounds(10.0, works, clock=clock), clock, 8)

    assert "".join(done) == "abcdabcd"
    gaps = [after - before for before, after in zip([100.0, *came], came, strict=False)]
    assert all(2.25 <= gap <= 2.75 for gap in gaps), gaps
    assert len(set(gaps)) > 1


def test_what_is_under_way_is_passed_over(clock):
    """Its next turn is after its end, whether that was good or bad, and the others have theirs meanwhile."""

    def fail():
        raise OSError("gone")

    works = [fail, lambda: None]
    rounds = Rounds(10.0, works, clock=clock)
    slow, other = rounds.turn(), rounds.turn()
    other()

    assert rounds.turn() is None
    assert rounds.turn() is not None
    with pytest.raises(OSError, match="gone"):
        slow()
    assert rounds.turn() is not None


def test_turns_that_came_late_are_made_up_for(clock):
    """So that a round takes its period, however long each turn takes; but not those of the day before."""
    rounds = Rounds(10.0, [lambda: None] * 100, clock=clock)
    clock.now += 1.0
    late = [rounds.left() for _ in range(5)]
    clock.now += 86_400.0
    owed = [rounds.left() for _ in range(150)]

    assert late == [0.0] * 5
    assert owed[:80] == [0.0] * 80
    assert owed[-1] > 0.0
