"""Server-sent events: what happens, to each browser that listens (HTML standard, section 9.2).

A listener that is slower than the cloud loses the oldest of what waits for it, and is told how much; it slows nothing.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

MOST_LISTENERS = 64
MAX_WAITING_BYTES = 2 * 1024 * 1024  # for one listener; what is older is dropped
KEPT_OPEN_S = 15.0  # silence after which a line is sent that says nothing, so that a lost listener is noticed

_encode = msgspec.json.Encoder().encode


class Listeners:
    """All who listen."""

    def __init__(self) -> None:
        self._listeners: frozenset[Listener] = frozenset()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def join(self, *, everything: bool) -> "Listener | None":
        """Begin to listen; None when there is no room for one more.

        :param everything: to heartbeats, too
        """
        with self._lock:
            if len(self._listeners) >= MOST_LISTENERS:
                return None
            listener = Listener(everything, self._leave)
            self._listeners |= {listener}
            return listener

    def tell(self, name: str, data: Any, *, background: bool = False) -> None:
        """Tell all of an event.

        :param background: it is for those only who listen to everything
        """
        written = written_event(name, data)
        for listener in self._listeners:
            if listener.everything or not background:
                listener.put(written)

    def close(self) -> None:
        """End what all of them read."""
        for listener in self._listeners:
            listener.close()

    def _leave(self, listener: "Listener") -> None:
        with self._lock:
            self._listeners -= {listener}


class Listener:
    """One who listens: the body of an answer, piece by piece, until it is closed."""

    def __init__(self, everything: bool, leave: Callable[["Listener"], None]) -> None:
        self.everything, self._leave = everything, leave
        self._waiting, self._bytes, self._missed = deque[bytes](), 0, 0
        self._changed, self._closed = threading.Condition(), False

    def put(self, written: bytes) -> None:
        """Have an event wait to be sent; never waits itself."""
        with self._changed:
            self._waiting.append(written)
            self._bytes += len(written)
            while self._bytes > MAX_WAITING_BYTES:
                self._bytes -= len(self._waiting.popleft())
                self._missed += 1
            self._changed.notify()

    def __iter__(self) -> Iterator[bytes]:
        yield b": the flow\n\n"  # the head of the answer goes with it
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed, KEPT_OPEN_S)
                if self._closed:
                    return
                missed = [written_event("missed", {"count": self._missed})] if self._missed else []
                piece = b"".join([*missed, *self._waiting]) or b": nothing happened\n\n"
                self._waiting.clear()
                self._bytes = self._missed = 0
            yield piece

    def close(self) -> None:
        """Listen no more (WSGI calls this, too, when the client is gone)."""
        self._leave(self)
        with self._changed:
            self._closed = True
            self._changed.notify()


def written_event(name: str, data: Any) -> bytes:
    """Write an event; JSON has no line break that would end it early."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))
