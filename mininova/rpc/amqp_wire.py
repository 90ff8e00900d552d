"""The socket of an amqp_link.Link: read as much as has come, write as much as waits.

A system call for each frame, and a broker that wakes up for each, would cost a message more than all else that is
done for it.  py-amqp turns methods into frames and frames into methods; here they pass the socket many at a time.
"""

import queue
import struct
from collections.abc import Callable

from amqp.exceptions import UnexpectedFrame

# A frame: its kind, its channel and the size of its payload; the payload; an end mark (AMQP 0-9-1, 4.2.3).
_HEAD = struct.Struct(">BHI")
_END = 0xCE

_MOST_AT_ONCE = 65_536  # bytes
_MOST_WAITING = 256  # frames; whoever writes one more waits until the broker takes them


class FrameReader:
    """Take frames from a connection that has nothing read ahead.

    :param receive: gives at most so many bytes as soon as there are some, and none at the end
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive, self._came, self._at = receive, b"", 0

    def read(self) -> tuple[int, int, bytes]:
        """Wait for the next frame; give its kind, channel and payload.

        :raises OSError: when the connection has ended
        """
        self._need(_HEAD.size)
        kind, channel, size = _HEAD.unpack_from(self._came, self._at)
        self._need(_HEAD.size + size + 1)
        begin = self._at + _HEAD.size
        end = begin + size
        if self._came[end] != _END:
            raise UnexpectedFrame(f"a frame ends with {self._came[end]:#04x}, not {_END:#04x}")
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

    :param send: sends all of some bytes
    :param on_failure: told when that failed, and then again each time
    """

    def __init__(self, send: Callable[[bytes], None], on_failure: Callable[[], None]) -> None:
        self._send, self._on_failure = send, on_failure
        self._waiting: queue.Queue[bytes] = queue.Queue(_MOST_WAITING)
        self._ended = False

    def write(self, frame: bytes | memoryview) -> None:
        """Have something sent; waits only while too much waits already."""
        self._waiting.put(bytes(frame))  # a copy: py-amqp uses its buffer again

    def end(self) -> None:
        """Have ``run`` return; nobody writes any more."""
        self._ended = True
        self._waiting.put(b"")

    def run(self) -> None:
        """Send, until the end: in a thread of its own, so that nobody else waits for the wire."""
        while not self._ended:
            pieces = [self._waiting.get()]
            while not self._waiting.empty():
                pieces.append(self._waiting.get())
            try:
                self._send(b"".join(pieces))
            except Exception:  # of the socket, or of TLS: now and for what still comes, so nobody waits here for ever
                self._on_failure()
