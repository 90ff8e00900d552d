"""Somebody who means no good, at the REST APIs: requests that no client would send, and what must hold of each answer.

``Attacker`` speaks to the applications in process, with any byte in any place; ``Wire`` speaks to a port.  Whatever is
answered: it is no error of ours, it came soon, and it says nothing of how the service is made.
"""

import contextlib
import io
import json
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cloud import Cloud

COMPUTE, IDENTITY, IMAGE = "/compute/v2.1", "/identity/v3", "/image/v2"
DEADLINE = 10.0  # seconds for any one answer, which takes milliseconds, on a machine that has other things to do

# What an answer never has in it: traces, paths of ours, statements, the names of what we are made of.
_INNARDS = re.compile(
    r"Traceback|File \"|/mininova/|site-packages|\.py\b|SELECT .* FROM|INSERT INTO|UPDATE .* SET|sqlalchemy|sqlite3"
    r"|psycopg|pymysql|eventlet|msgspec|jsonschema|Python/"
)


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    text: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.text)

    @property
    def without_ids(self) -> str:
        """The body without what the question named."""
        return re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "ID", self.text)


def require_harmless(status: int, text: str, asked: str) -> None:
    """Fail the test if an answer is an error of the service's, or tells what it is made of."""
    assert status < 500, f"{asked}: {status} {text[:300]}"
    assert not (found := _INNARDS.search(text)), f"{asked}: the answer tells of {found[0]!r}: {text[:300]}"


@contextlib.contextmanager
def deadline(asked: str, seconds: float = DEADLINE) -> Iterator[None]:
    """Fail the test if something takes too long, even if it never ends."""

    def too_long(*_: Any) -> None:
        raise AssertionError(f"{asked} has no answer after {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Attacker:
    """A client of a whole cloud in one process, as several users.

    :ivar server: the uuid of a server of the demo project
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.app = cloud.app.application
        self.server = cloud.boot(name="victim", metadata={"k": "v"}, tags=["t"])
        cloud.run()

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "demo",
        token: str | None = None,
        query: str = "",
        environ: Mapping[str, Any] = {},
        version: str = "2.96",
    ) -> Answer:
        """Send one request, and give the answer, which must be harmless.

        :param path: with its percent signs, as it is sent
        :param body: bytes as they are, anything else as JSON
        :param environ: what to say otherwise, by its WSGI name
        """
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        said = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": unquote(path, encoding="latin-1"),
            "QUERY_STRING": query, "SERVER_NAME": "cloud", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "cloud", "HTTP_OPENSTACK_API_VERSION": f"compute {version}", "REMOTE_ADDR": "192.0.2.1",
            "wsgi.input": io.BytesIO(raw), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
            "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            **({"CONTENT_LENGTH": str(len(raw)), "CONTENT_TYPE": "application/json"} if raw else {}),
        }  # fmt: skip
        if token is not None or user is not None:
            said["HTTP_X_AUTH_TOKEN"] = token if token is not None else self.cloud.login(user, user)  # type: ignore[arg-type]
        asked = f"{method} {path[:80]}?{query[:80]} {raw[:80]!r}"
        with deadline(asked):
            answer = self._send({**said, **environ})
        require_harmless(answer.status, answer.text, asked)
        return answer

    def _send(self, environ: dict[str, Any]) -> Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        pieces = self.app(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
        text = b"".join(pieces).decode()
        status, headers = started[-1]
        for name, value in headers:
            assert f"{name}{value}".isascii(), f"{name}: {value!r} is no header"
            assert f"{name}{value}".isprintable(), f"{name}: {value!r} is no header"
        return Answer(int(status.split()[0]), text, dict(headers))


@dataclass(frozen=True)
class Wire:
    """A port, and whoever may use it.

    :param token: a token of the demo user
    """

    port: int
    token: str

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, said: bytes) -> bytes:
        """Say something, and nothing more; give all that comes until the server hangs up, which must be harmless."""
        heard = b""
        with self.connect() as connection, contextlib.suppress(ConnectionError):
            with contextlib.suppress(OSError):  # it may have heard enough, and hung up
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                heard += piece
        for status in re.findall(rb"^HTTP/1\.[01] (\d+)", heard, re.MULTILINE):
            require_harmless(int(status), heard.decode(errors="replace"), repr(said[:80]))
        return heard
