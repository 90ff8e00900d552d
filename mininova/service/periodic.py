"""What a service does again and again: heartbeats and audits, each in the background, until the service stops.

A Process has one Periodic.  All waiting here is on one event, so that a stop ends it at once.  Rounds, below, says
which of many things is next: the heartbeats of many hosts are spread over their period, a little unevenly, so that
neither they nor those of two processes come at the same instant.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle

from mininova import errors, rpc
from mininova.rpc.watch import sparing
from mininova.service.concurrency import Concurrency

LOG = logging.getLogger(__name__)

Work = Callable[[], object]

AT_ONCE = 16  # of many things of a kind: enough to keep the broker and a conductor busy
SPREAD_S = 30.0  # seconds over which hosts are spread that all wait for the same hour to end
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0  # seconds between attempts to reach what is not up
# What says that something is not up yet, or not again.
NOT_YET = (rpc.BrokerUnreachable, rpc.Undeliverable, rpc.MessagingTimeout, rpc.ConnectionLost, errors.DatabaseAway)


class Periodic:
    """Repeats things in the background.

    :param threads: how this process does several things at a time
    """

    def __init__(self, threads: Concurrency) -> None:
        self._threads = threads
        self._stopping = threading.Event()
        self._failing = set[tuple[str, type[Exception]]]()  # what, and why: the log says it once until it works again

    def every(self, seconds: float, work: Work, what: str) -> None:
        """Do something now and then once in each period.

        The first time is done before this returns, patiently.  A later failure is logged, and the next turn comes; the
        log says once that it fails, and once that it works again.

        :param seconds: the period
        :param what: names the work in the log
        """
        self.each_every(seconds, [work], what)

    def each_every(self, seconds: float, works: Sequence[Work], what: str) -> None:
        """Do several things as ``every`` does one: at first together, then in turns that are spread over the period."""
        self._threads.together([partial(self.patiently, work, what) for work in works], AT_ONCE)
        self.in_rounds(seconds, works, what)

    def in_rounds(self, seconds: float, works: Sequence[Work], what: str) -> None:
        """Do several things in turns that are spread over each period, the first of them after a part of one."""
        self._threads.spawn(self._make_rounds, Rounds(seconds, works), what)

    def soon(self, works: Sequence[Work], what: str) -> None:
        """Do several things once, in the background, a few at a time; a failure of one is logged."""
        self._threads.spawn(self._threads.together, [partial(self._attempt, work, what) for work in works], AT_ONCE)

    def _make_rounds(self, rounds: "Rounds", what: str) -> None:
        while not self._stopping.wait(rounds.left()):
            if (work := rounds.turn()) is not None:
                self._threads.spawn(self._attempt, work, what)

    def after_each(self, left: Callable[[], float], works: Sequence[Work], what: str) -> None:
        """Do things in the background, one after the other and patiently: now, and whenever a period has ended.

        :param left: gives the seconds that are left of the present period
        """
        self._threads.spawn(self._repeat_after_each, left, works, what)

    def _repeat_after_each(self, left: Callable[[], float], works: Sequence[Work], what: str) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            for work in works:
                self._attempt(lambda work=work: self.patiently(work, what), what)  # type: ignore[misc]
            pause = left() + random.uniform(0, SPREAD_S)

    def patiently(self, work: Work, what: str) -> None:
        """Do something that needs what may not be up yet: again, after growing and uneven pauses, until it is done.

        The log says once that this waits, and once that it need not any more.  A stop ends it, too.

        :raises rpc.BrokerRefused: and any other error that waiting does not mend
        """
        pause, began, level = FIRST_PAUSE_S, time.monotonic(), logging.WARNING
        while True:
            try:
                work()
            except rpc.BrokerRefused:
                raise
            except NOT_YET as error:
                LOG.log(level, "%s: %s; trying again until it works", what, error)
            else:
                if level != logging.WARNING:
                    LOG.info("%s: it worked after %.1f s", what, time.monotonic() - began)
                return
            level = logging.DEBUG
            if self._stopping.wait(pause * random.uniform(0.5, 1.5)):
                return
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _attempt(self, work: Work, what: str) -> None:
        try:
            work()
        except (rpc.RPCError, errors.DatabaseAway) as error:
            if (what, type(error)) not in self._failing:
                LOG.warning("%s: %s", what, error, extra=sparing.about(None, "fails", what))  # of many hosts, in turns
            self._failing.add((what, type(error)))
        except Exception:  # of any kind: the next turn may do better
            LOG.exception("%s failed", what)
        else:
            if failed := {(name, kind) for name, kind in self._failing.copy() if name == what}:
                self._failing -= failed
                LOG.info("%s: it works again", what, extra=sparing.about(None, "works", what))

    def stop(self) -> None:
        """Begin nothing more; what is under way goes on."""
        self._stopping.set()


class Rounds:
    """Says which of several things to do next, and when.

    A thing that is still under way is passed over, so one that waits for its answer holds up no other.

    :param seconds: the period, in which each has one turn
    :param works: at least one
    :param clock: counts seconds
    """

    def __init__(self, seconds: float, works: Sequence[Work], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._step, self._clock = seconds, seconds / len(works), clock
        self._works, self._under_way = cycle(works), set[Work]()
        self._due = clock()

    def left(self) -> float:
        """Give the seconds until the next turn; turns that came late are made up for, those of one period at most."""
        now = self._clock()
        self._due = max(self._due + self._step * random.uniform(0.9, 1.1), now - self._seconds)
        return max(0.0, self._due - now)

    def turn(self) -> Work | None:
        """Give what is to be done now; None when it is still being done."""
        work = next(self._works)
        if work in self._under_way:
            return None
        self._under_way.add(work)

        def done_once() -> None:
            try:
                work()
            finally:
                self._under_way.discard(work)

        return done_once
