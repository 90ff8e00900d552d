"""The queue between an operation and its notifications: they wait for the broker here, so that the operation need not.

messaging has one where it is told to work in the background.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from mininova.rpc.errors import ACCESS_REFUSED, MessageRefused, RPCError
from mininova.rpc.transports.base import Message

LOG = logging.getLogger(__name__)

ROOM = 64 * 1024 * 1024  # bytes: some 20,000 notifications of an instance
_MOST_AT_ONCE = 100  # are sent before the first confirm is waited for
_PATIENCE = 10.0  # seconds for one try
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

Publish = Callable[[Sequence[Message], float], Sequence[Exception | None]]


class OutboxFull(RPCError):
    """No more can wait for the broker."""


class Outbox:
    """Hand messages over in their order, in a thread of its own, each until it has been taken.

    ``put`` never waits.  While the broker is away or will not have them, messages wait here, as many as there is
    room for.  What has gathered while it took the last ones goes together.

    :param publish: hands over messages in so many seconds, and gives what went wrong with each; it does not raise
    :param room: how many bytes may wait
    """

    def __init__(self, publish: Publish, *, room: int = ROOM) -> None:
        self._publish, self._room = publish, room
        self._waiting: deque[Message] = deque()  # the first ones are being handed over
        self._bytes = 0
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, message: Message) -> None:
        """Take a message.

        :raises OutboxFull: when there is no room for it
        """
        with self._changed:
            if self._bytes + len(message.body) > self._room or self._ended.is_set():
                raise OutboxFull(f"{len(self._waiting)} notifications wait for the broker, and there is no more room")
            self._waiting.append(message)
            self._bytes += len(message.body)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notification-outbox", daemon=True)
                self._thread.start()

    def flush(self, timeout: float) -> bool:
        """Wait until nothing waits here; tell whether that was within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def stop(self, timeout: float) -> None:
        """Hand over what waits, for at most ``timeout`` seconds, and take nothing more; what is left is lost."""
        flushed = self.flush(timeout)
        with self._changed:
            self._ended.set()
            self._changed.notify_all()
            if not flushed:
                LOG.error("the broker is away: %d notifications are lost with this process", len(self._waiting))

    # ---- the thread

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while messages := self._next(_MOST_AT_ONCE if pause == _FIRST_PAUSE else 1):
            error = self._hand_over(messages)
            if error is None:
                pause = _FIRST_PAUSE
                continue
            if pause == _FIRST_PAUSE:
                LOG.warning("notifications wait for the broker: %s", error)
            self._ended.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _next(self, most: int) -> list[Message]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended.is_set())
            return [] if self._ended.is_set() else list(islice(self._waiting, most))

    def _hand_over(self, messages: Sequence[Message]) -> RPCError | None:
        """Hand over; what is behind one that was not taken goes once more after it, so that the order is kept."""
        for message, error in zip(messages, self._publish(messages, _PATIENCE), strict=True):
            if isinstance(error, RPCError) and not _is_for_good(error):  # it is away, or a queue is full
                return error
            if error is not None:  # another try would end in the same way
                LOG.error("a notification to %s is lost: %s (%s)", message.routing_key, error, message.message_id)
            self._forget(message)
        return None

    def _forget(self, message: Message) -> None:
        with self._changed:
            self._waiting.popleft()
            self._bytes -= len(message.body)
            self._changed.notify_all()


def _is_for_good(error: RPCError) -> bool:
    """Tell whether a broker that refuses a message always will: a right can still be given, a size stays too large."""
    return isinstance(error, MessageRefused) and error.details.get("code") != ACCESS_REFUSED
