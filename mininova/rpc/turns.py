"""Let nobody have all the hands of a server.

A queue is first come, first served, so whoever sends faster than is worked would have everybody else wait behind.  A
server that tells its callers apart works on so many messages of each at a time, and moves what is more to a queue
aside, ``<topic>.aside``, which it reads as well.  There those who send too much wait behind each other, and everybody
else finds the topic's own queue short.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable

from mininova.rpc.transport import Delivery

#: How many messages of a caller are worked on at a time; infinite for one that is trusted with it.
MostAtOnce = Callable[[str | None], float]


def aside(topic: str) -> str:
    """Name the queue aside of a topic."""
    return f"{topic}.aside"


class Turns:
    """Count whose messages are in hand, and keep those in order that wait for their turn."""

    def __init__(self, most: MostAtOnce) -> None:
        self._most, self._lock = most, threading.Lock()
        self._in_hand: Counter[str | None] = Counter()
        self._waiting: dict[str | None, deque[Delivery]] = {}

    def begin(self, caller: str | None) -> bool:
        """Take one more of a caller's messages in hand, unless it has too many there."""
        most = self._most(caller)
        with self._lock:
            may = self._in_hand[caller] < most
            self._in_hand[caller] += may
        return may

    def wait(self, caller: str | None, delivery: Delivery) -> bool:
        """Have a message wait until ``end`` gives it; False if its turn has come meanwhile."""
        most = self._most(caller)
        with self._lock:
            if self._in_hand[caller] < most:
                self._in_hand[caller] += 1
                return False
            self._waiting.setdefault(caller, deque()).append(delivery)
        return True

    def end(self, caller: str | None) -> Delivery | None:
        """End with one; give the one whose turn it is, which is then in hand."""
        with self._lock:
            if waiting := self._waiting.get(caller):
                return waiting.popleft()
            self._in_hand[caller] -= 1
            if not self._in_hand[caller]:  # else everybody who ever came would be remembered
                del self._in_hand[caller]
                self._waiting.pop(caller, None)
        return None

    def give_up(self) -> list[Delivery]:
        """Give all that wait, whose turn will not come."""
        with self._lock:
            given = [delivery for waiting in self._waiting.values() for delivery in waiting]
            self._waiting.clear()
        return given
