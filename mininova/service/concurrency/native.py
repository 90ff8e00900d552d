"""Native threads: the standard library's, and waitress for HTTP.

The upper half spawns.  The lower half is waitress with our bounds on a whole request, which it has none of: one thread
reads all connections and, when a request is whole, hands it to a thread of its own; so a slow client costs no thread.
waitress refuses many heads and chunks by itself; what it lets pass and green.py does not is refused here, too.
"""

import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, Error, InternalServerError, RequestEntityTooLarge

from mininova.rpc.threads import Threads
from mininova.rpc.watch import sparing
from mininova.service.concurrency.crowd import CROWDED
from mininova.service.http_bounds import (
    BACKLOG,
    CHUNK_SIZE,
    MAX_HEAD_BYTES,
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

ACCEPTED_AT_ONCE = 100


class Native:
    """Run things in native threads (see Concurrency)."""

    def __init__(self) -> None:
        self._threads = Threads()

    def spawn(self, work: Callable[..., object], *args: object) -> None:
        self._threads(work, *args)

    def together(self, works: Iterable[Callable[[], Any]], at_once: int) -> list[Any]:
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda work: Context().run(work), works))

    def aside(self, work: Callable[[], T]) -> T:
        return work()  # every thread is aside from the others

    def serve_http(self, address: str, port: int, app: "WSGIApplication", bounds: Bounds) -> "NativeServer":
        return NativeServer(_listen(address, port), app, bounds, self._threads)


def _listen(address: str, port: int) -> socket.socket:
    """Listen as eventlet does; socket.create_server would say in its own words why it cannot."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class NativeServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """waitress (see HTTPServer): the thread that listens, and reads what comes on all connections.

    :param spawn: runs a request aside, in a thread that it has to itself
    """

    def __init__(
        self, listener: socket.socket, app: "WSGIApplication", bounds: Bounds, spawn: Callable[..., None]
    ) -> None:
        how = Adjustments(
            sockets=[listener], backlog=BACKLOG, ident=None, log_socket_errors=False,
            max_request_header_size=MAX_HEAD_BYTES,
            max_request_body_size=bounds.max_body_bytes + 1,  # waitress means: less than
        )  # fmt: skip
        how.bounds = self.bounds = bounds
        self._places, self._leaving = bounds.places(), list[_Connection]()
        self._accept_again_at, self._ended = 0.0, threading.Event()
        where = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            app, _sock=listener, dispatcher=_Aside(spawn), adj=how, sockinfo=where, bind_socket=False
        )  # fmt: skip
        self.port: int = listener.getsockname()[1]
        self.channel_class = _Connection
        threading.Thread(target=self._serve, name="http-server", daemon=True).start()

    # ---- in the server's own thread

    def _serve(self) -> None:
        while self.accepting or self.active_channels:
            wasyncore.loop(self._patience_s(), use_poll=True, map=self._map, count=1)
            self._bound()
        self._ended.set()

    def _patience_s(self) -> float | None:
        """Give the seconds until the first connection has had its time; None while there is nothing to wait for."""
        ends = [connection.ends_at() for connection in list(self.active_channels.values())]
        if self._pauses():
            ends.append(self._accept_again_at)
        first = min(ends, default=math.inf)
        return None if first == math.inf else max(0.0, first - time.time())

    def _bound(self) -> None:
        """End what makes room, what took too long, and the longest body while all together are too long."""
        while self._leaving:
            leaving = self._leaving.pop()
            if leaving.owes_since() < math.inf:
                leaving.handle_close()
        connections, now = list(self.active_channels.values()), time.time()
        for connection in connections:
            if connection.ends_at() <= now:
                connection.give_up(_TooSlow("the body did not come in time"))
        if sum(connection.held_bytes() for connection in connections) > self.bounds.max_held_bytes:
            longest = max(connections, key=_Connection.incoming_bytes)
            if longest.incoming_bytes():  # else all that is held is being worked on
                longest.give_up(RequestEntityTooLarge("all bodies that are held are too long together"))

    def _is_full(self) -> bool:
        return len(self.active_channels) >= self._places

    def _owing(self) -> "list[_Connection]":
        """Give the connections that keep us waiting, the one that has done so longest at the end (see crowd.py)."""
        sinces = ((each.owes_since(), id(each), each) for each in list(self.active_channels.values()))
        return [each for since, _, each in sorted(sinces, reverse=True) if since < math.inf]

    def readable(self) -> bool:
        """Tell whether a connection can be accepted now: there is a place, or one that can be taken from another."""
        return self.accepting and not self._pauses() and (not self._is_full() or bool(self._owing()))

    def _pauses(self) -> bool:
        return time.time() < self._accept_again_at

    def handle_accept(self) -> None:
        """Accept what waits; one in each turn of a loop over a thousand connections would take a second for a hundred.

        Those who make room are closed when the turn is over: their number must not be another's before.
        """
        owing = self._owing() if len(self.active_channels) + ACCEPTED_AT_ONCE > self._places else []
        for _ in range(ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            if self._is_full() and not owing:
                return
            super().handle_accept()
            if len(self.active_channels) == before:
                return
            if before >= self._places:
                LOG.warning(CROWDED, self._places, extra=sparing.about(None, "http-crowd"))
                self._leaving.append(owing.pop())

    def accept(self) -> Any:
        """Accept a connection; after a failure, such as a shortage of files, not again at once, but after a pause."""
        try:
            accepted = super().accept()
        except OSError as error:
            if not self._accept_again_at:
                LOG.warning("HTTP connections cannot be accepted for now: %s", error.strerror)
            self._accept_again_at = time.time() + PAUSE_S
            return None
        self._accept_again_at = 0.0
        return accepted

    # ---- in the thread of the process that ends

    def stop(self, timeout: float) -> bool:
        """Close the listener in the server's thread, which ends when the last request is answered."""
        self.trigger.pull_trigger(self._listen_no_more)
        ended = self._ended.wait(timeout)
        if ended:
            self.trigger.close()  # not in the server's thread, which may be through before it is pulled here
        return ended

    def _listen_no_more(self) -> None:
        self.accepting = False
        wasyncore.dispatcher.close(self)


class _Aside:
    """Runs requests where waitress has a fixed number of threads: here each that runs has its own."""

    def __init__(self, spawn: Callable[..., None]) -> None:
        self._spawn = spawn

    def add_task(self, connection: "_Connection") -> None:
        self._spawn(connection.service)


class _TooSlow(Error):  # type: ignore[misc]
    code, reason = HTTPStatus.REQUEST_TIMEOUT.value, HTTPStatus.REQUEST_TIMEOUT.phrase


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """A request that comes; it is made when its first byte is here."""

    body_rcv: Any

    def __init__(self, how: Any) -> None:
        super().__init__(how)
        self._bounds: Bounds = how.bounds
        self.began = time.time()

    def ends_at(self, since: float) -> float:
        """Give the moment at which what comes now, head or body, must be complete.

        :param since: when we began to listen, which may be later than the first byte
        """
        if not self.headers_finished:
            return max(self.began, since) + self._bounds.head_s
        return max(self._body_began, since) + self._bounds.body_s + self.body_bytes / self._bounds.slowest_bytes_per_s

    def owes_since(self, since: float, heard_at: float) -> float:
        """Give since when its client keeps us waiting.

        :param since: when we began to listen
        :param heard_at: when its last byte came
        """
        if not self.headers_finished:
            return max(self.began, since)
        return self._bounds.owed_since(max(self._body_began, since), self.body_bytes, heard_at)

    @property
    def body_bytes(self) -> int:
        """How long the body is, as far as it has come."""
        received: int = self.body_bytes_received
        return received

    def parse_header(self, head: bytes) -> None:
        """Read a complete head, and refuse one that another server could read in another way.

        :raises ParsingError: for the refusal
        """
        try:
            super().parse_header(head)
        except ValueError:  # Python converts no length of thousands of digits
            raise ParsingError("Content-Length is no length") from None
        self._body_began = time.time()
        lines = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:]]
        hosts, lengths, codings = (
            [value.strip(" \t") for name, _, value in lines if name.lower() == wanted]
            for wanted in ("host", "content-length", "transfer-encoding")
        )
        if self.version not in ("1.0", "1.1") or not is_plain(self.version, hosts, lengths, codings):
            raise ParsingError("it is not plain where this request ends")
        if path_of(self.request_uri) is None:
            raise ParsingError("the target has no path")
        if self.chunked:
            self.body_rcv = _Chunks(self.body_rcv.buf)


class _Chunks(ChunkedReceiver):  # type: ignore[misc]
    """A body in chunks, taken line by line: waitress takes lines of any length, and empty ones before a size."""

    error: Error | None

    def received(self, data: bytes) -> int:
        """Take what came, up to the end of the body; give how much of it that was."""
        taken = 0
        while taken < len(data) and not self.completed and self.error is None:
            piece = self._piece(data[taken:])
            self.error = self._wrong(piece)
            taken += len(piece) if self.error else super().received(piece)
        return taken if self.error is None else len(data)

    def _piece(self, data: bytes) -> bytes:
        """Give what belongs to one chunk, or to one line between two."""
        return data[: self.chunk_remainder or data.find(b"\n") + 1 or None]

    def _wrong(self, piece: bytes) -> Error | None:
        if self.chunk_remainder or self.validate_chunk_end:
            return None
        line = (self.trailer if self.all_chunks_received else self.control_line) + piece
        if len(line) > MAX_LINE_BYTES:
            return BadRequest("a line between chunks is too long")
        if not self.all_chunks_received and line.endswith(b"\n") and not CHUNK_SIZE.fullmatch(line):
            return BadRequest("a chunk has no size")
        return None


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request, in no more words than HTTP has."""

    def execute(self) -> None:
        """Answer, and hang up."""
        error = self.request.error
        status = HTTPStatus(error.code if error.code < 500 or isinstance(error, InternalServerError) else 400)
        self.status = f"{status.value} {status.phrase}"
        self.set_close_on_finish()
        self.content_length = 0
        self.write(b"")


class _Task(WSGITask):  # type: ignore[misc]
    """A request that is answered."""

    def get_environment(self) -> dict[str, Any]:
        """Say at which address it came in, where waitress has a name that leads nowhere."""
        environ: dict[str, Any] = super().get_environment()
        environ["SERVER_NAME"], port, *_ = self.channel.came_in_at
        environ["SERVER_PORT"] = str(port)
        return environ


class _Connection(HTTPChannel):  # type: ignore[misc]
    """One connection, and what its client owes us: the rest of a request, the next one, or room for an answer."""

    parser_class = _Request
    task_class, error_task_class = _Task, _Refusal
    request: _Request | None
    _answered_at = 0.0

    def __init__(self, server: NativeServer, connection: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(server, connection, *args, **kwargs)
        self.came_in_at = connection.getsockname()

    def ends_at(self) -> float:
        """Give the moment, on waitress's clock, at which the client has had its time; inf while it owes us nothing."""
        idle = self.last_activity + self.server.bounds.idle_s
        if self.total_outbufs_len:
            return float(idle)
        if self.requests:
            return math.inf
        if self.request is not None:
            return float(min(idle, self.request.ends_at(self._answered_at)))
        return float(idle) if self.server.accepting else -math.inf

    def owes_since(self) -> float:
        """Give since when, on waitress's clock, the client keeps us waiting; inf while it does not."""
        if self.total_outbufs_len:
            return float(self.last_activity)
        if self.requests:
            return math.inf
        if self.request is not None:
            return self.request.owes_since(self._answered_at, self.last_activity)
        return float(self.last_activity)

    def incoming_bytes(self) -> int:
        """Give how long the body is that comes."""
        return 0 if self.request is None else self.request.body_bytes

    def held_bytes(self) -> int:
        """Give how long the bodies are that came and that come; those of refused requests are about to go."""
        waiting = (request for request in list(self.requests) if request.error is None)
        return self.incoming_bytes() + sum(int(request.body_bytes) for request in waiting)

    def give_up(self, why: Error) -> None:
        """Hang up; on a body with a word."""
        with self.requests_lock:
            request, self.request = self.request, None
            if request and request.headers_finished and not self.requests and not self.total_outbufs_len:
                request.error, request.completed = why, True
                self.requests.append(request)
                self.server.add_task(self)
                return
        self.handle_close()

    def service(self) -> None:
        """Answer a request, in a thread of its own."""
        super().service()
        self._answered_at = time.time()
