"""The socket of a link.Link: read as much as has come, write as much as waits.

A system call for each frame, and a broker that wakes up for each, would cost a message more than all else that is
done for it.  So frames pass the socket many at a time.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from mininova.rpc.errors import ConnectionLost
from mininova.rpc.transports.amqp.frames import END, HEAD

_MOST_AT_ONCE = 65_536  # bytes
_MOST_WAITING = 1_048_576  # bytes; then publishing waits until the broker has taken some


class Socket(Protocol):
    """What is used of a socket; tls.TLSSocket is one, too."""

    def recv(self, most: int) -> bytes:
        """Give at most so many bytes as soon as there are some, and none at the end."""

    def sendall(self, data: bytes) -> None:
        """Send all of some bytes."""

    def shutdown(self, how: int) -> None:
        """End the connection."""


class FrameReader:
    """Take frames from a connection that has nothing read ahead.

    :param receive: gives at most so many bytes as soon as there are some, and none at the end
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive, self._came, self._at = receive, b"", 0

    def read(self) -> tuple[int, int, bytes]:
        """Wait for the next frame; give its kind, channel and payload.

        :raises OSError: when the connection has ended, or what comes are no frames
        """
        self._need(HEAD.size)
        kind, channel, size = HEAD.unpack_from(self._came, self._at)
        self._need(HEAD.size + size + 1)
        begin = self._at + HEAD.size
        end = begin + size
        if self._came[end] != END:
            raise OSError(f"a frame ends with {self._came[end]:#04x}, not {END:#04x}")
        self._at = end + 1
        return kind, channel, self._came[begin:end]

    def _need(self, count: int) -> None:
        missing = count - (len(self._came) - self._at)
        if missing <= 0:
            return
        parts = [self._came[self._at :]]
        while missing > 0:
            parts.append(self._receive(_MOST_AT_ONCE))
            if not parts[-1]:
                raise OSError("the broker closed it")
            missing -= len(parts[-1])
        self._came, self._at = b"".join(parts), 0


class FrameWriter:
    """Send what others write: all that has gathered since the last time goes in one piece.

    ``write`` never waits, since the reader must write, too.  Senders of new messages ask ``wait_for_room`` first.

    :param send: sends all of some bytes
    :param on_failure: called when that failed
    :ivar closed: whether nothing more may be written
    :ivar held: whether the broker takes no new messages for now
    """

    def __init__(self, send: Callable[[bytes], None], on_failure: Callable[[], None]) -> None:
        self._send, self._on_failure = send, on_failure
        self._waiting: deque[bytes] = deque()
        self._size = 0  # of what waits, in bytes
        self._wake = threading.Lock()  # as a bell: held until there is something to send
        self._wake.acquire()
        self._awake = self._ended = False
        self._room = threading.Condition()
        self.held = self.closed = False

    def write(self, frames: bytes) -> None:
        """Have something sent, and wait for nothing.

        :raises ConnectionLost: there is no connection any more
        """
        if self.closed:
            raise ConnectionLost("there is no connection to the broker", definite=True)
        self._waiting.append(frames)
        self._size += len(frames)
        self._ring()

    def _ring(self) -> None:
        if not self._awake:
            self._awake = True
            try:
                self._wake.release()
            except RuntimeError:  # another thread rang at the same time
                return

    def run(self) -> None:
        """Send, until the end: in a thread of its own, so that no other thread waits for the socket."""
        while not self._ended:
            self._wake.acquire()
            self._awake = False  # from here on, ``write`` rings again
            pieces = []
            while self._waiting:
                pieces.append(self._waiting.popleft())
            was_full, self._size = self._size >= _MOST_WAITING, 0
            try:
                if pieces:
                    self._send(b"".join(pieces))
            except Exception:  # of the socket, or of TLS
                self._on_failure()
                return
            if was_full:
                self._tell()

    # ---- room for more

    def hold(self, held: bool) -> None:
        """Hold new messages back, or no longer."""
        self.held = held
        self._tell()

    def end(self) -> None:
        """Have ``run`` and ``wait_for_room`` return."""
        self._ended = True
        self._ring()
        self._tell()

    def wait_for_room(self, timeout: float) -> bool:
        """Wait at most so many seconds until more may be written, and tell whether it may."""
        if self._has_room():
            return True
        with self._room:
            return self._room.wait_for(self._has_room, max(0.0, timeout))

    def _has_room(self) -> bool:
        return self._ended or (not self.held and self._size < _MOST_WAITING)

    def _tell(self) -> None:
        with self._room:
            self._room.notify_all()
