"""Green threads: everything that mininova knows of eventlet, but for the patch in mininova/cmd/__init__.py.

Delete this module and that patch, and eventlet is gone.  The upper half spawns.  The lower half is eventlet's WSGI
server, with what it leaves undone: it bounds lines, headers and each single wait, and here are the bounds on a whole
request, on connections, and on the ways to say where a body ends.
"""

import errno
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import eventlet
import eventlet.tpool
import eventlet.wsgi

from mininova.service.concurrency.crowd import Crowd, Place
from mininova.service.http_bounds import (
    BACKLOG,
    BOUNDS,
    CHUNK_SIZE,
    MAX_LINE_BYTES,
    PAUSE_S,
    Bounds,
    is_plain,
    path_of,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")

LOG = logging.getLogger(__name__)

_REFUSAL = "HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Green:
    """Run things in green threads (see Concurrency)."""

    def spawn(self, work: Callable[..., object], *args: object) -> None:
        eventlet.spawn_n(work, *args)

    def together(self, works: Iterable[Callable[[], Any]], at_once: int) -> list[Any]:
        return list(eventlet.GreenPool(at_once).imap(lambda work: work(), works))

    def aside(self, work: Callable[[], T]) -> T:
        result: T = eventlet.tpool.execute(work)  # in a native thread, one of 20
        return result

    def serve_http(self, address: str, port: int, app: "WSGIApplication", bounds: Bounds) -> "GreenServer":
        # reuse_port would let a second api share the port without a word.
        return GreenServer(eventlet.listen((address, port), backlog=BACKLOG, reuse_port=False), app, bounds)


class GreenServer:
    """eventlet's WSGI server (see HTTPServer).

    :param listener: a listening socket of eventlet's
    """

    def __init__(self, listener: Any, app: "WSGIApplication", bounds: Bounds) -> None:
        self.port: int = listener.getsockname()[1]
        self._crowd, self._ended = Crowd(bounds.places()), threading.Event()
        self._listener = _Listener(listener, self._crowd)
        eventlet.spawn_n(self._serve, app, bounds)

    def _serve(self, app: "WSGIApplication", bounds: Bounds) -> None:
        eventlet.wsgi.server(
            self._listener, app,
            custom_pool=eventlet.GreenPool(bounds.places()),
            protocol=type("BoundProtocol", (_Protocol,), {"bounds": bounds, "crowd": self._crowd}),
            log_output=False, socket_timeout=bounds.idle_s, debug=False,
        )  # fmt: skip
        self._ended.set()

    def stop(self, timeout: float) -> bool:
        """Accept nothing more; eventlet's server then hangs up on idle connections and waits for the others."""
        self._listener.refuse()
        return self._ended.wait(timeout)


class _Listener:
    """A listening socket that outlives a failure, such as a shortage of files, on which eventlet's server would end."""

    def __init__(self, listener: Any, crowd: Crowd) -> None:
        self._listener, self._crowd, self._refuses = listener, crowd, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> Any:
        """Wait for the next connection, and for what it needs: a file, and a place.

        :raises OSError: ESHUTDOWN, on which eventlet's server ends, after ``refuse``
        """
        said = False
        while True:
            try:
                connection, address = self._listener.accept()
                self._crowd.enter(connection)
                return connection, address
            except OSError as error:
                if self._refuses:
                    raise OSError(errno.ESHUTDOWN, "it accepts nothing more") from None
                if not said:
                    LOG.warning("HTTP connections cannot be accepted for now: %s", error.strerror)
            said = True
            eventlet.sleep(PAUSE_S)

    def refuse(self) -> None:
        """Wake ``accept``, which close() would not, and have it end; eventlet's server then closes the socket."""
        self._refuses = True
        self._listener.shutdown(socket.SHUT_RDWR)


class _Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
    """One connection, request by request; the methods are called in the order in which they stand here."""

    bounds = BOUNDS
    crowd: Crowd
    path: str
    rfile: Any
    wfile: Any

    def __init__(self, state: Any, server: Any) -> None:
        """Serve a connection from its first request to its last."""
        connection = state[1]
        self._place = self.crowd.place_of(connection)
        try:
            super().__init__(state, server)
        finally:
            self.crowd.leave(connection)

    def setup(self) -> None:
        """Make files of the connection."""
        super().setup()
        self.wfile = _Answer(self.wfile, self._place)

    def handle_one_request(self) -> None:
        """Take one request, if one comes."""
        self._place.owes()
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
        self._place.owes()
        self._head = eventlet.Timeout(self.bounds.head_s, socket.timeout)
        return super()._read_request_line()

    def parse_request(self) -> bool:
        """Read the head, and refuse one that another server could read in another way."""
        self.rfile = head = _Head(self.rfile)
        if not super().parse_request():
            return False
        path = path_of(self.path)
        if head.is_odd or self.headers.defects or path is None or not self._is_plain():
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        self.path = path
        return True

    def _is_plain(self) -> bool:
        names = ("Host", "Content-Length", "Transfer-Encoding")
        return is_plain(self.request_version.removeprefix("HTTP/"), *(self.headers.get_all(name, []) for name in names))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, in no more words than HTTP has: Python's own page names its version."""
        status = HTTPStatus(code if code < 500 else 400)
        self.wfile.write(_REFUSAL.format(status=status.value, phrase=status.phrase).encode())
        self.close_connection = True

    def get_environ(self) -> Any:
        """Let the body come, now that the head is complete."""
        self._head.cancel()
        self._place.owes(math.inf)
        environ = super().get_environ()
        environ["eventlet.input"].rfile = _Body(self.rfile, self.bounds, self._place)
        environ["mininova.hang_up"] = self._place.hang_up  # HANG_UP of mininova/wsgi/request.py
        return environ


class _Head:
    """The lines of a head; Python takes a carriage return for the end of a line, and proxies do not."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.is_odd = False

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._file.readline(size)
        breaks_off = not line.endswith(b"\n")
        self.is_odd = self.is_odd or breaks_off or b"\r" in line.removesuffix(b"\r\n") or b"\0" in line
        return line


class _Body:
    """The bytes of a body and, when it is in chunks, the lines between them: in form, and not too long in coming.

    After one failure every read fails: it is not known any more where the next request begins.
    """

    def __init__(self, file: Any, bounds: Bounds, place: Place) -> None:
        self._file, self._bounds, self._place = file, bounds, place
        self._began = self._heard_at = time.monotonic()
        self._received, self._broken = 0, False
        self._line = self._size

    def read(self, size: int) -> bytes:
        return self._data(self._file.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """Read a line: with a size it is one of the data, without one it is between chunks."""
        if size is not None:
            return self._data(self._file.readline, size)
        line = self._in_time(self._file.readline, MAX_LINE_BYTES)
        self._broken = not self._line(line)
        if self._broken:
            raise eventlet.wsgi.ChunkReadError("a chunk has no size, or another than its own")
        return line

    # ---- what the next line between chunks must be

    def _size(self, line: bytes) -> bool:
        size = CHUNK_SIZE.fullmatch(line)
        self._line = self._trailer if size and int(size[1], 16) == 0 else self._size
        return size is not None

    def _end(self, line: bytes) -> bool:
        self._line = self._size
        return line == b"\r\n"

    def _trailer(self, line: bytes) -> bool:
        return len(line) < MAX_LINE_BYTES

    # ----

    def _data(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._line = self._end
        return self._in_time(read, size)

    def _in_time(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._broken:
            raise OSError("the body broke off before")
        self._broken = True
        owed_since = self._bounds.owed_since(self._began, self._received, self._heard_at)
        with eventlet.Timeout(self._time_left(size), socket.timeout), self._place.owing(owed_since):
            data = read(size)
        self._received, self._heard_at = self._received + len(data), time.monotonic()
        self._broken = False
        return data

    def _time_left(self, size: int) -> float:
        for_bytes = (self._received + size) / self._bounds.slowest_bytes_per_s
        return max(0.0, self._began + self._bounds.body_s + for_bytes - time.monotonic())


class _Answer:
    """The file that answers are written to: a client that takes nothing keeps us waiting."""

    def __init__(self, file: Any, place: Place) -> None:
        self._file, self._place = file, place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def writelines(self, lines: Iterable[bytes]) -> None:
        with self._place.owing():
            self._file.writelines(lines)

    def flush(self) -> None:
        with self._place.owing():
            self._file.flush()
