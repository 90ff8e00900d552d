"""More slow clients than there are places, and an honest one among them: a real server, on both kinds of threads."""

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from mininova.service.http_bounds import BOUNDS
from tests.fixtures.rest_process import SERVERS, TOKENS, RestProcess

SOON = 8.0  # seconds, where a slow client is given twenty
SLOW = 1100
ENOUGH_FILES = 4096

HEAD = f"GET {SERVERS} HTTP/1.1\r\nHost: x\r\n".encode()
BODY = f"POST {TOKENS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{{".encode()


@pytest.fixture(scope="module", autouse=True)
def files() -> Iterator[None]:
    """Let this process and the server have a file for each connection."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ENOUGH_FILES, max(before[1], ENOUGH_FILES)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("saying", "more"),
    [(b"", b""), (b"G", b""), (HEAD + b"X-Slow: ", b"y"), (BODY, b"y")],
    ids=["nothing", "a letter", "a head, letter by letter", "a body, letter by letter"],
)
def test_slow_clients_keep_no_other_out(api: RestProcess, token: str, saying: bytes, more: bytes) -> None:
    """With every place taken by a client that keeps the server waiting, the next client is served at once."""
    assert BOUNDS.connections < SLOW
    with contextlib.ExitStack() as all_:
        slow = [all_.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=30)) for _ in range(SLOW)]
        for _ in range(3):
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(saying)
            saying = more
            assert api.served(token) < SOON
