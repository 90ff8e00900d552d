"""Periodic work goes on after a failure and ends at a stop; its rounds are spread over the period."""

import itertools
import logging
import queue
import threading
from collections import deque

import pytest

from mininova import errors, rpc
from mininova.service.concurrency.native import Native
from mininova.service.periodic import Periodic, Rounds

PATIENCE = 30.0  # seconds, for events that take a moment


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_round(rounds, clock, count):
    """Run some turns; give their times."""
    came = []
    for _ in range(count):
        clock.now += rounds.left()
        if (work := rounds.turn()) is not None:
            work()
        came.append(clock.now)
    return came


def test_each_is_done_once_in_a_period(clock):
    """In order, spread nearly evenly over the period."""
    done = []
    works = [lambda name=name: done.append(name) for name in "abcd"]

    came = a_round(Rounds(10.0, works, clock=clock), clock, 8)

    assert "".join(done) == "abcdabcd"
    gaps = [after - before for before, after in zip([100.0, *came], came, strict=False)]
    assert all(2.25 <= gap <= 2.75 for gap in gaps), gaps
    assert len(set(gaps)) > 1


def test_a_task_under_way_is_skipped(clock):
    """A task that is under way is skipped; its next turn comes after its end, also after a failure."""

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
    """A round takes its period, however long a turn takes; but turns missed long ago are not repeated."""
    rounds = Rounds(10.0, [lambda: None] * 100, clock=clock)
    clock.now += 1.0
    late = [rounds.left() for _ in range(5)]
    clock.now += 86_400.0
    owed = [rounds.left() for _ in range(150)]

    assert late == [0.0] * 5
    assert owed[:80] == [0.0] * 80
    assert owed[-1] > 0.0


@pytest.fixture
def periodic():
    """Give periodic work on native threads, which is stopped in the end."""
    made = Periodic(Native())
    yield made
    made.stop()


def test_the_first_time_is_done_before_every_returns(periodic):
    """Its failure reaches the caller, if it is none that waiting helps against."""
    done = []
    periodic.every(3600.0, lambda: done.append("once"), "the test")

    def fail():
        raise OSError("gone")

    assert done == ["once"]
    with pytest.raises(OSError, match="gone"):
        periodic.every(3600.0, fail, "the test")


def test_a_failure_is_logged_and_the_next_turn_comes(periodic, caplog):
    """One of our own errors is one line in the log."""
    turns, numbers = queue.Queue(), itertools.count()

    def work():
        turns.put(turn := next(numbers))
        if turn == 1:
            raise rpc.Undeliverable("no server is there", target="conductor")
        if turn == 2:
            raise KeyError("a bug")

    periodic.every(0.01, work, "the test")
    for _ in range(5):
        turns.get(timeout=PATIENCE)

    assert "the test: no server is there" in caplog.messages
    assert "the test failed" in caplog.messages


def test_a_failure_that_lasts_is_logged_once(periodic, caplog):
    """The log has a line for each reason, and one when it works again; the next outage has its own."""
    caplog.set_level(logging.INFO)
    full, refused = rpc.RemoteError("the disk is full"), rpc.BrokerRefused("a wrong password")
    outcomes, ended = deque([None, full, full, refused, full, None, None, full, None]), threading.Event()

    def work():
        if (error := outcomes.popleft()) is not None:
            raise error

    def left():
        return -30.0 if outcomes else (ended.set() or 3600.0)

    periodic.after_each(left, [work], "the test")
    assert ended.wait(PATIENCE)

    full, again = "the test: the disk is full", "the test: it works again"
    assert caplog.messages == [full, "the test: a wrong password", again, full, again]


def test_work_is_done_after_each_period(periodic):
    """It runs in the background, first at once."""
    done, periods = queue.Queue(), iter([-30.0, -30.0])

    def left():
        return next(periods, 3600.0)

    periodic.after_each(left, [lambda: done.put("a"), lambda: done.put("b")], "the test")

    assert [done.get(timeout=PATIENCE) for _ in range(4)] == ["a", "b", "a", "b"]


def test_a_task_that_needs_another_service_waits_for_it(periodic):
    """It is tried again when the other service is missing, and not after another failure."""
    answers = iter([rpc.Undeliverable("no server is there", target="conductor"), KeyError("a bug")])

    def work():
        raise next(answers)

    with pytest.raises(KeyError):
        periodic.patiently(work, "the test")


def test_a_wait_is_logged_once_with_its_end(periodic, caplog):
    """The log says that the process waits, and how long it did, however often it has tried."""
    caplog.set_level(logging.INFO)
    away = [rpc.BrokerUnreachable("no broker is there"), errors.DatabaseAway("no database is there")]
    answers = iter([*away, None])

    def work():
        if (error := next(answers)) is not None:
            raise error

    periodic.patiently(work, "the test")
    first, last = caplog.messages
    assert first == "the test: no broker is there; trying again until it works"
    assert last.startswith("the test: it worked after ")


def test_a_refusal_is_not_waited_for(periodic):
    """A wrong password does not become right."""

    def work():
        raise rpc.BrokerRefused("the password is wrong")

    with pytest.raises(rpc.BrokerRefused):
        periodic.patiently(work, "the test")


def test_a_stop_ends_every_wait(periodic):
    """A stop ends the wait for another service, and that between rounds."""
    asked = threading.Event()

    def work():
        asked.set()
        raise rpc.Undeliverable("no server is there", target="conductor")

    waiting = threading.Thread(target=periodic.patiently, args=(work, "the test"))
    waiting.start()
    assert asked.wait(PATIENCE)
    periodic.stop()
    waiting.join(PATIENCE)

    assert not waiting.is_alive()
