"""HTTP as it comes over the wire, from clients that may mean no good: eventlet's server, and what it leaves undone.

Process.serve_http (mininova/service/process.py) is the caller.  Eventlet bounds lines, headers and each single wait;
here are the bounds on a whole request, on connections, and on the forms in which the length of a body may be said, so
that nobody holds a place for long by being slow and no proxy in front of us reads two requests where we read one.
"""

import errno
import logging
import re
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import eventlet
import eventlet.wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """What a client may take of a server.

    :param connections: at once; the next ones wait to be accepted
    :param idle: seconds from one request of a connection to the next, and of waiting for any one byte
    :param head: seconds from the first byte of a request to the end of its headers
    :param body: seconds that a body may take beside what its bytes take at the slowest rate
    :param rate: that rate, in bytes a second
    """

    connections: int = 1000
    idle: float = 60.0
    head: float = 20.0
    body: float = 20.0
    rate: float = 1024.0


BOUNDS = Bounds()
LONGEST_LINE = 4096  # bytes, of those between the chunks of a body

_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.1  # seconds until the next attempt to accept, after one that failed for want of something
_LENGTH = re.compile("[0-9]{1,18}")
_ORIGIN = re.compile("^https?://[^/?#]*", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(;[^\r]*)?\r\n")
_REFUSAL = "HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def serve(listener: Any, app: "WSGIApplication", bounds: Bounds = BOUNDS) -> None:
    """Serve an application for as long as the listener is open.

    :param listener: a listening socket of eventlet's
    """
    protocol = type("BoundProtocol", (_Protocol,), {"bounds": bounds})
    eventlet.wsgi.server(
        _Listener(listener), app,
        custom_pool=eventlet.GreenPool(_places(bounds)), protocol=protocol,
        log_output=False, socket_timeout=bounds.idle, debug=False,
    )  # fmt: skip


def _places(bounds: Bounds) -> int:
    """Say how many connections there can be: they take no more than half of the files that the process may open."""
    most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return bounds.connections if most_files == resource.RLIM_INFINITY else min(bounds.connections, most_files // 2)


class _Listener:
    """A listening socket that outlives a shortage: eventlet's server ends for good when it cannot accept."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        """Wait for the next connection, and for what it needs."""
        said = False
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                if error.errno not in _SHORTAGES:
                    raise
                if not said:
                    LOG.warning("connections cannot be accepted for now: %s", error.strerror)
            said = True
            eventlet.sleep(_PAUSE)


class _Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
    """One connection, request by request; the methods are called in the order in which they stand here."""

    bounds = BOUNDS
    path: str
    rfile: Any

    def handle_one_request(self) -> None:
        """Take one request, if one comes."""
        self._head = eventlet.Timeout(None)
        try:
            super().handle_one_request()
        finally:
            self._head.cancel()

    def _read_request_line(self) -> Any:
        """Wait for a request; from its first byte on its head has a time."""
        try:
            begun = not self.rfile.closed and self.rfile.peek(1)
        except ConnectionError:
            begun = b""
        if not begun:
            return b""
        self._head = eventlet.Timeout(self.bounds.head, socket.timeout)
        return super()._read_request_line()

    def parse_request(self) -> bool:
        """Read the head, and refuse one that somebody else could read in another way."""
        self.rfile = head = _Head(self.rfile)
        if not super().parse_request():
            return False
        self.path = _ORIGIN.sub("", self.path)  # which a client may name, as if we were its proxy
        if head.is_odd or self.headers.defects or not self.path.startswith("/") or not _is_plain(self.headers):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, in no more words than HTTP has: Python's own page names its version."""
        status = HTTPStatus(code if code < 500 else 400)
        self.wfile.write(_REFUSAL.format(status=status.value, phrase=status.phrase).encode())
        self.close_connection = True

    def get_environ(self) -> Any:
        """Let the body come, now that the head is complete."""
        self._head.cancel()
        environ = super().get_environ()
        environ["eventlet.input"].rfile = _Body(self.rfile, self.bounds)
        return environ


class _Head:
    """The lines of a head; Python takes a carriage return for the end of a line, and proxies do not."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.is_odd = False

    def readline(self, size: int = -1) -> bytes:
        """Read a line."""
        line: bytes = self._file.readline(size)
        self.is_odd = self.is_odd or b"\r" in line.removesuffix(b"\r\n") or b"\0" in line
        return line


def _is_plain(headers: Message) -> bool:
    """Tell whether it is plain whom a request is for and where its body ends (RFC 9112, sections 3.2 and 6)."""
    lengths, codings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    one_length = len(lengths) <= 1 and all(_LENGTH.fullmatch(length) for length in lengths)
    in_chunks = not lengths and [coding.lower() for coding in codings] == ["chunked"]
    return len(headers.get_all("Host", [])) <= 1 and (in_chunks or (one_length and not codings))


class _Body:
    """The bytes of a body and, when it is in chunks, the lines between them: in form, and not too long in coming.

    What once failed fails for ever: nobody knows any more where the next request would begin.
    """

    def __init__(self, file: Any, bounds: Bounds) -> None:
        self._file, self._rate = file, bounds.rate
        self._until = time.monotonic() + bounds.body
        self._broken = False
        self._line = self._size

    def read(self, size: int) -> bytes:
        """Read bytes."""
        return self._data(self._file.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """Read a line: with a size it is one of the data, without one between chunks."""
        if size is not None:
            return self._data(self._file.readline, size)
        line = self._in_time(self._file.readline, LONGEST_LINE)
        self._broken = not self._line(line)
        if self._broken:
            raise eventlet.wsgi.ChunkReadError("a chunk has no size, or another than its own")
        return line

    # ---- what the next line between chunks must be

    def _size(self, line: bytes) -> bool:
        size = _CHUNK_SIZE.fullmatch(line)
        self._line = self._trailer if size and int(size[1], 16) == 0 else self._size
        return size is not None

    def _end(self, line: bytes) -> bool:
        self._line = self._size
        return line == b"\r\n"

    def _trailer(self, line: bytes) -> bool:
        return len(line) < LONGEST_LINE

    # ----

    def _data(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._line = self._end
        return self._in_time(read, size)

    def _in_time(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._broken:
            raise OSError("the body broke off before")
        self._broken = True
        with eventlet.Timeout(max(0.0, self._until + size / self._rate - time.monotonic()), socket.timeout):
            data = read(size)
        self._until += len(data) / self._rate
        self._broken = False
        return data
