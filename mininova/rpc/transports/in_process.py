"""The broker in memory for a cloud that lives in one process: a thread delivers its messages, in real time.

memory.py has the places, the messages and what can go wrong with them; a test turns that broker by hand.  Here it turns
by itself.  Its thread hands every message out, so a reader must not wait in ``on_delivery``, as over any transport.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, TypeVar, cast

from mininova.rpc.transports.base import Message, Transport
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport

LOG = logging.getLogger(__name__)

SCHEME = "memory://"
PREFETCH = 64  # casts that a process may have in hand; the others wait in their queues


class InProcessBroker(MemoryBroker):
    """A broker whose clock is the real one, for the transports of this process that name it.

    :param name: what comes last in their URLs
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.news = threading.Condition()
        self.now = time.monotonic()
        threading.Thread(target=self._deliver, name="broker", daemon=True).start()
        _running[name] = self

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the broker for one's own, at the time that it is, and let its thread see what has changed."""
        with self.news:
            self._move_to(time.monotonic())
            yield
            self.news.notify_all()

    def come_to_rest(self, patience: float, which: Callable[[Message], bool]) -> bool:
        """Wait these seconds at most until no such message is in a queue that is read, or in hand; tell whether so."""
        with self.turn():
            return self.news.wait_for(partial(self._is_at_rest, which), patience)

    def drop(self, which: Callable[[Message], bool]) -> None:
        """Lose persistent messages (see MemoryBroker)."""
        with self.turn():
            super().drop(which)

    def _deliver(self) -> None:
        with self.news:
            while True:
                now = time.monotonic()
                self._move_to(now)
                try:
                    if not self.deliver_one(_has_room) and not self.pass_time(now):
                        self.news.notify_all()  # of those who wait for that
                        self.news.wait(self._until_the_next())
                except Exception:  # one message must not end the delivery of all
                    LOG.exception("a message could not be handed out")

    def _until_the_next(self) -> float | None:
        """Give the seconds until something is to happen by itself."""
        due = min(self._later[0][0] if self._later else math.inf, self._next_expiry)
        return None if due == math.inf else max(0.0, due - time.monotonic())


_running: dict[str, InProcessBroker] = {}


def _has_room(message: Message, reader: MemoryTransport) -> bool:
    return not message.persistent or len(reader._unsettled) < PREFETCH


def place(url: str) -> tuple[str, str]:
    """Read a URL: the user, and the broker.

    :raises ValueError: what is wrong with it, in words that go on after the URL itself
    """
    user, at, broker = url.removeprefix(SCHEME).partition("@")
    if not (user and at and broker):
        raise ValueError(f"names no user and no broker; in one process write it like {SCHEME}conductor@cloud")
    return user, broker


F = TypeVar("F", bound=Callable[..., Any])


def _in_turn(method: F) -> F:
    @wraps(method)
    def in_turn(transport: "InProcessTransport", *args: Any, **how: Any) -> Any:
        with transport.broker.turn():
            return method(transport, *args, **how)

    return cast(F, in_turn)


class InProcessTransport(MemoryTransport):
    """One service's connection to an InProcessBroker.

    :param url: ``memory://USER@BROKER``; the broker vouches for the user
    :raises LookupError: when no such broker runs in this process
    """

    broker: InProcessBroker

    def __init__(self, url: str) -> None:
        user, broker = place(url)
        super().__init__(_running[broker], user)

    start = _in_turn(MemoryTransport.start)
    stop = _in_turn(MemoryTransport.stop)
    subscribe = _in_turn(MemoryTransport.subscribe)
    unsubscribe = _in_turn(MemoryTransport.unsubscribe)
    waiting = _in_turn(MemoryTransport.waiting)
    declare = _in_turn(MemoryTransport.declare)
    declare_pause = _in_turn(MemoryTransport.declare_pause)
    publish = _in_turn(MemoryTransport.publish)
    publish_confirmed = _in_turn(MemoryTransport.publish_confirmed)
    _settle = _in_turn(MemoryTransport._settle)

    wait = Transport.wait

    def _until(self, over: Callable[[], bool], timeout: float) -> bool:
        return self.broker.news.wait_for(over, timeout)
