"""A proxy between a user's websocket and a guest's console (nova: console/websocketproxy.py).

The URL that the api gave a user leads here, and has a token in it.  The proxy asks the database where the console is
that the token opens, connects there, and carries bytes both ways, until one side ends.  To a browser that asks for the
same URL without a websocket it gives a page which opens one.

Like Nova's proxies it reads the database itself: what a token opens, an HTTP API could tell only to a caller with an
administrator's password, which is more than a proxy on the open internet should hold.
"""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from mininova.db import console_auth_tokens
from mininova.db.console_auth_tokens import ConsoleAuthToken
from mininova.db.session import Database

LOG = logging.getLogger(__name__)

MAX_HEAD_BYTES = 16 * 1024
PATIENCE_S = 10.0  # for the head of a request, and for the host of a console
MOST_VIEWERS = 200
BLOCK = 16 * 1024
ENDED = 1000  # the websocket's code for an end that is no failure
SUBPROTOCOL = "binary"

# A page may run what is in it, connect to this very server, and no more.
PAGE_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
     "connect-src 'self' ws: wss:"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
]  # fmt: skip


class Kind(NamedTuple):
    """A kind of console.

    :param console_type: that of the tokens which open it
    :param paths: where its page is
    :param page: the name of the file
    """

    console_type: str
    paths: frozenset[str]
    page: str


SERIAL = Kind("serial", frozenset({"/"}), "serial.html")
VNC = Kind("novnc", frozenset({"/vnc_auto.html", "/vnc_lite.html"}), "vnc.html")

Find = Callable[[str], ConsoleAuthToken | None]


def finder(db: Database) -> Find:
    """Make what finds the console that a token opens."""

    def find(token: str) -> ConsoleAuthToken | None:
        with db.read() as tx:
            return console_auth_tokens.validate(tx, token, datetime.now(UTC))

    return find


class Refused(Exception):
    """The viewer cannot have what it asks for.

    :ivar status: of HTTP
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class ConsoleProxy:
    """Serves viewers of consoles of one kind."""

    def __init__(self, find: Find, kind: Kind) -> None:
        self._find, self._kind = find, kind
        self._page = files(__package__).joinpath(kind.page).read_bytes()
        self._room = threading.BoundedSemaphore(MOST_VIEWERS)

    def serve(self, address: str, port: int) -> int:
        """Listen, and serve each viewer in a thread of its own; give the port.

        :raises OSError: when it cannot listen there
        """
        listener = socket.create_server((address, port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        bound: int = listener.getsockname()[1]
        return bound

    def _accept(self, listener: socket.socket) -> None:
        while True:
            viewer, _ = listener.accept()
            if self._room.acquire(blocking=False):
                threading.Thread(target=self._attend, args=(viewer,), daemon=True).start()
            else:
                LOG.warning("consoleproxy turns a viewer away: it has %d", MOST_VIEWERS)
                viewer.close()

    def _attend(self, viewer: socket.socket) -> None:
        try:
            with viewer, suppress(OSError, h11.ProtocolError, ProtocolError):
                viewer.settimeout(PATIENCE_S)
                head, asked = _head(viewer)
                if _headers(asked).get("upgrade", "").lower() == "websocket":
                    self._bridge(viewer, head)
                else:
                    viewer.sendall(self._answer(asked))
        finally:
            self._room.release()

    def _bridge(self, viewer: socket.socket, head: bytes) -> None:
        """Open the console that a websocket's URL has the token of, and carry its bytes."""
        websocket = WSConnection(ConnectionType.SERVER)
        websocket.receive_data(head)
        request = next(event for event in websocket.events() if isinstance(event, Request))
        try:
            console = self._console_of(request)
            guest = _connect(console)
        except Refused as refusal:
            LOG.info("consoleproxy refuses a viewer: %s", refusal)
            viewer.sendall(websocket.send(RejectConnection(status_code=refusal.status)))
            return
        with guest:
            LOG.info("consoleproxy connects a viewer with instance %s", console.instance_uuid)
            chosen = SUBPROTOCOL if SUBPROTOCOL in request.subprotocols else None
            viewer.sendall(websocket.send(AcceptConnection(subprotocol=chosen)))
            viewer.settimeout(None)
            _carry(viewer, websocket, guest)
        LOG.info("consoleproxy has let the viewer of instance %s go", console.instance_uuid)

    def _console_of(self, request: Request) -> ConsoleAuthToken:
        """Find what a request may see.

        :raises Refused: when that is nothing, or the page that sent it is not ours
        """
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.extra_headers}
        if (origin := headers.get("origin")) and urlsplit(origin).netloc != request.host:
            raise Refused(403, f"the page of {origin[:100]!r} asks, and {request.host[:100]!r} is asked")
        (token,) = parse_qs(urlsplit(request.target).query).get("token", [""])[:1]
        console = self._find(token) if token else None
        if console is None or console.console_type != self._kind.console_type:
            raise Refused(403, f"its token opens no {self._kind.console_type} console, or none any more")
        return console

    def _answer(self, asked: h11.Request) -> bytes:
        """Give the page to a browser that asks for it."""
        if asked.method != b"GET" or urlsplit(asked.target.decode("latin-1")).path not in self._kind.paths:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        headers = [("Content-Length", str(len(self._page))), *PAGE_HEADERS]
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode() + self._page


def _head(viewer: socket.socket) -> tuple[bytes, h11.Request]:
    """Read the head of a request, as it is and understood.

    :raises h11.ProtocolError: when it is none
    """
    parser, head = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES), b""
    while (event := parser.next_event()) is h11.NEED_DATA:
        data = viewer.recv(BLOCK)
        head += data
        parser.receive_data(data)
    if not isinstance(event, h11.Request):
        raise h11.RemoteProtocolError("the viewer asks for nothing")
    return head, event


def _headers(asked: h11.Request) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in asked.headers}


def _connect(console: ConsoleAuthToken) -> socket.socket:
    """Connect to the host of a console, and say which it is.

    :raises Refused: when the host is not there, or does not show it any more
    """
    try:
        guest = socket.create_connection((console.host, console.port), PATIENCE_S)
    except OSError as error:
        raise Refused(503, f"the host of instance {console.instance_uuid} is not there: {error}") from None
    try:
        guest.sendall(f"CONNECT {console.internal_access_path} HTTP/1.1\r\n\r\n".encode())
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            byte = guest.recv(1)  # no more than the answer: what follows is the console's
            if not byte or len(said) > MAX_HEAD_BYTES:
                raise Refused(503, f"the host of instance {console.instance_uuid} gives no answer")
            said += byte
        if said.split()[1] != b"200":
            raise Refused(404, f"the host of instance {console.instance_uuid} does not show its console any more")
    except (OSError, Refused) as error:
        guest.close()
        raise error if isinstance(error, Refused) else Refused(503, str(error)) from None
    guest.settimeout(None)
    return guest


# ---- both ways, a thread each


def _carry(viewer: socket.socket, websocket: WSConnection, guest: socket.socket) -> None:
    """Carry bytes between a viewer and a guest until one of them ends."""
    turn = threading.Lock()  # to send to the viewer
    threading.Thread(target=_to_viewer, args=(viewer, websocket, guest, turn), daemon=True).start()
    with suppress(OSError, ProtocolError):
        while websocket.state is not ConnectionState.CLOSED:
            data = viewer.recv(BLOCK)
            with turn:
                websocket.receive_data(data or None)
            for event in websocket.events():
                if isinstance(event, (BytesMessage, TextMessage)):
                    guest.sendall(event.data.encode() if isinstance(event.data, str) else bytes(event.data))
                elif isinstance(event, (Ping, CloseConnection)):
                    _send(viewer, websocket, event.response(), turn)
    with suppress(OSError):
        guest.shutdown(socket.SHUT_RDWR)  # so that the other thread ends


def _to_viewer(viewer: socket.socket, websocket: WSConnection, guest: socket.socket, turn: threading.Lock) -> None:
    with suppress(OSError):
        while data := guest.recv(BLOCK):
            _send(viewer, websocket, BytesMessage(data=data), turn)
    if websocket.state is ConnectionState.OPEN:
        _send(viewer, websocket, CloseConnection(code=ENDED, reason="the console has ended"), turn)


def _send(viewer: socket.socket, websocket: WSConnection, event: Event, turn: threading.Lock) -> None:
    with suppress(OSError, ProtocolError), turn:
        viewer.sendall(websocket.send(event))
