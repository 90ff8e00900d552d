"""Rounds: several things, each to be done once in a period and one after the other, as the heartbeats of many hosts.

They are spread over the period, a little unevenly, so that they do not all come at the same instant, nor two processes
always together.  A thing that is still under way is passed over, and so one that waits for its answer holds up no
other.  service.Process makes the rounds; here is only when, and what.
"""

import random
import time
from collections.abc import Callable, Sequence
from itertools import cycle

Work = Callable[[], object]


class Rounds:
    """Say what is to be done next, and how long that has time.

    :param seconds: the period
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
