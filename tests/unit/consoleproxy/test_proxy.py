"""A user's websocket reaches a guest's console: mininova/consoleproxy."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request

from mininova import states
from mininova.consoleproxy.proxy import SERIAL, VNC, ConsoleProxy
from mininova.db.console_auth_tokens import ConsoleAuthToken
from mininova.objects import ComputeNode, Console, Flavor, ImageMeta, Instance
from mininova.virt import serial, vnc
from mininova.virt.behaviour import Behaviour
from mininova.virt.consoles import Consoles, Offer
from mininova.virt.fake import FakeDriver
from mininova.virt.guests import GuestStore

INSTANCE = Instance(
    uuid="c0ffee00-0000-4000-8000-000000000001", project_id="demo", user_id="ann", display_name="web-1",
    hostname="web-1", vm_state=states.ACTIVE,
    flavor=Flavor(flavor_id="1", name="m1.tiny", memory_mb=64, vcpus=1, root_gb=1),
)  # fmt: skip
OPENS = "opens"


@pytest.fixture
def driver(tmp_path: Path) -> FakeDriver:
    """Give the fake hypervisor of a host that shows consoles, with one guest."""
    node = ComputeNode(host="host-1", hypervisor_hostname="host-1", vcpus=8, memory_mb=16384, local_gb=200)
    offer = Offer("serial", "127.0.0.1", "127.0.0.1", "ws://127.0.0.1:6083/", serial.serve)
    screen = Offer("novnc", "127.0.0.1", "127.0.0.1", "http://127.0.0.1:6080/vnc_auto.html", vnc.serve)
    consoles = Consoles({"serial": offer, "vnc": screen})
    driver = FakeDriver(node, GuestStore(str(tmp_path), "host-1"), Behaviour(), consoles=consoles)
    driver.spawn(INSTANCE, ImageMeta(id="7f3d", name="cirros"))
    return driver


@pytest.fixture
def console(driver: FakeDriver) -> Console:
    return driver.get_console(INSTANCE, "serial", "serial")


def opened(console_type: str, console: Console) -> ConsoleAuthToken:
    return ConsoleAuthToken(
        instance_uuid=INSTANCE.uuid, console_type=console_type, host=console.host, port=console.port,
        internal_access_path=console.internal_access_path,
    )  # fmt: skip


@pytest.fixture
def proxy(console: Console) -> int:
    """Give the port of a proxy of serial consoles that knows one token."""
    tokens = {OPENS: opened("serial", console)}
    return ConsoleProxy(tokens.get, SERIAL).serve("127.0.0.1", 0)


@pytest.fixture
def vnc_proxy(driver: FakeDriver, console: Console) -> int:
    """Give the port of a proxy of consoles by VNC that is asked with two tokens: one of such a console, and another."""
    tokens = {OPENS: opened("novnc", driver.get_console(INSTANCE, "vnc", "novnc")), "serial": opened("serial", console)}
    return ConsoleProxy(tokens.get, VNC).serve("127.0.0.1", 0)


class Viewer:
    """A client of the websocket; ``reply`` is the proxy's answer."""

    def __init__(self, port: int, target: str, origin: str | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._websocket, self.seen, self.ended = WSConnection(ConnectionType.CLIENT), b"", False
        headers = [(b"Origin", origin.encode())] if origin else []
        host = f"127.0.0.1:{port}"
        request = Request(host=host, target=target, subprotocols=["binary"], extra_headers=headers)
        self._socket.sendall(self._websocket.send(request))
        self.reply = self._next()

    def _next(self) -> Any:
        while True:
            for event in self._websocket.events():
                if isinstance(event, BytesMessage):
                    self.seen += event.data
                elif isinstance(event, CloseConnection):
                    self.ended = True
                return event
            self._websocket.receive_data(self._socket.recv(4096) or None)

    def until(self, words: bytes) -> bytes:
        """Read as far as some words."""
        while words not in self.seen:
            assert not self.ended, self.seen[-200:]
            self._next()
        seen, self.seen = self.seen, b""
        return seen

    def type(self, typed: bytes) -> None:
        self._socket.sendall(self._websocket.send(BytesMessage(data=typed)))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def view(proxy: int) -> Iterator[Callable[..., Viewer]]:
    """Open a websocket."""
    viewers: list[Viewer] = []

    def open_one(target: str = f"/?token={OPENS}", **more: Any) -> Viewer:
        viewers.append(Viewer(proxy, target, **more))
        return viewers[-1]

    yield open_one
    for viewer in viewers:
        viewer.close()


def test_a_token_opens_the_console(view: Callable[..., Viewer]) -> None:
    """The guest's words come, and what is typed gets there."""
    viewer = view()
    assert isinstance(viewer.reply, AcceptConnection)
    assert viewer.reply.subprotocol == "binary"
    assert INSTANCE.uuid.encode() in viewer.until(b"web-1 login: ")
    viewer.type(b"cirros\r")
    assert b"cirros\r\nPassword: " in viewer.until(b"Password: ")


def test_the_websocket_ends_with_the_guest(view: Callable[..., Viewer], driver: FakeDriver) -> None:
    """A deleted guest's viewer is told so by a close; a new one cannot come, though the token is good still."""
    viewer = view()
    viewer.until(b"login: ")
    driver.destroy(INSTANCE.uuid)
    while not viewer.ended:
        viewer._next()
    assert view().reply.status_code == 404


@pytest.mark.parametrize("target", ["/", "/?token=", "/?token=guessed"])
def test_no_token_no_console(view: Callable[..., Viewer], target: str) -> None:
    """It is 403, whatever is wrong with it."""
    refused = view(target).reply
    assert isinstance(refused, RejectConnection)
    assert refused.status_code == 403


def test_a_page_of_elsewhere_opens_none(view: Callable[..., Viewer], proxy: int) -> None:
    """A browser says which page asks; only our own may, so that no other can use a token that it came by."""
    assert view(origin="http://evil.example").reply.status_code == 403
    assert isinstance(view(origin=f"http://127.0.0.1:{proxy}").reply, AcceptConnection)


def test_a_host_that_is_away(driver: FakeDriver, console: Console) -> None:
    """It is 503."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    gone = ConsoleAuthToken(
        instance_uuid=INSTANCE.uuid, console_type="serial", host="127.0.0.1", port=port, internal_access_path="x"
    )
    viewer = Viewer(ConsoleProxy(lambda token: gone, SERIAL).serve("127.0.0.1", 0), "/?token=x")
    assert viewer.reply.status_code == 503
    viewer.close()


@pytest.mark.parametrize(
    ("asked", "answer", "words"),
    [
        (b"GET /?token=x HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK", b"<title>Serial console</title>"),
        (b"GET /etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 404 Not Found", b""),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 404 Not Found", b""),
        (b"nonsense\r\n\r\n", b"", b""),
    ],
)
def test_what_a_browser_gets(proxy: int, asked: bytes, answer: bytes, words: bytes) -> None:
    """The page that opens the websocket, and nothing else."""
    with socket.create_connection(("127.0.0.1", proxy), timeout=30) as browser:
        browser.sendall(asked)
        said = browser.makefile("rb").read()
    assert said.partition(b"\r\n")[0] == answer
    assert words in said


def test_a_console_by_vnc(vnc_proxy: int) -> None:
    """The guest speaks RFB through the websocket that the page opens, and the page is at the URL that Nova gives."""
    viewer = Viewer(vnc_proxy, f"/?token={OPENS}")
    assert viewer.until(b"\n") == b"RFB 003.008\n"
    viewer.type(b"RFB 003.008\n")
    assert viewer.until(b"\1") == b"\1\1"
    viewer.close()
    page = urlopen(f"http://127.0.0.1:{vnc_proxy}/vnc_auto.html?path=%3Ftoken%3D{OPENS}")
    assert b"<title>VNC console</title>" in page.read()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"http://127.0.0.1:{vnc_proxy}/")


def test_a_token_of_another_kind_of_console(vnc_proxy: int) -> None:
    """It opens none here."""
    viewer = Viewer(vnc_proxy, "/?token=serial")
    assert viewer.reply.status_code == 403
    viewer.close()
