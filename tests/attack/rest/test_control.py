"""The control API of a cloud in one process, attacked: without its token, and with it by requests that no client sends.

Each is refused with a 4xx that names what is wrong, and changes nothing.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mininova.db import whole
from tests.fixtures.api_harness import NO_QUOTA
from tests.fixtures.cloud import Cloud
from tests.fixtures.rest_attacker import Answer, Attacker

TOKEN = "a token of the control API"
ROUTES = ("GET /rules", "POST /rules", "DELETE /rules", "POST /reset", "POST /save", "POST /load", "PUT /behaviour",
          "PUT /losses", "GET /services", "POST /services/mininova-api/action",
          "POST /servers/SERVER/state")  # fmt: skip


class Control:
    """The control API of a cloud, with what its attacks must not change.

    :ivar before: the state after the last test
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cloud = Cloud(folder, hosts=("host-1",), losses="[]", of_api={**NO_QUOTA, "control.token": TOKEN})
        self.attacker = Attacker(self.cloud)
        self.saved = folder / "saved"
        assert self("POST /save", {"path": str(self.saved)}).status == 204
        self.before = self.state

    def __call__(self, route: str, body: Any = None, token: str | None = TOKEN, **environ: str) -> Answer:
        """Send one request."""
        method, path = route.split(" ", 1)
        sent = {"HTTP_X_CONTROL_TOKEN": token} if token is not None else {}
        path = path.replace("SERVER", self.attacker.server)
        return self.attacker(method, f"/control{path}", body, user=None, environ={**sent, **environ})

    @property
    def state(self) -> object:
        """All that there is: rows, guests, rules and files."""
        with closing(whole.copy(self.cloud.db)) as copy:
            rows = [*copy.iterdump()]
        guests = [compute.driver.list_instance_uuids() for compute in self.cloud.computes.values()]
        files = {file.name for file in self.folder.rglob("*") if not file.name.endswith(("-wal", "-shm"))}
        followed = [(self.cloud.path / f"{name}.yaml").read_text() for name in ("behaviour", "losses")]
        return rows, guests, self("GET /rules").json, files, followed


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """Give a cloud with a server, and a file that it was saved to."""
    made = Control(tmp_path_factory.mktemp("control"))
    yield made
    made.cloud.db.close()


@pytest.fixture
def control(world: Control) -> Iterator[Control]:
    """Give it, and see that it is as before in the end."""
    yield world
    before, world.before = world.before, world.state
    assert world.before == before


def refused(answer: Answer, named: str, status: int = 400) -> None:
    """Assert that a request was refused, and that the answer names something."""
    assert (answer.status, named in answer.text) == (status, True), answer


# ---- without the token


@pytest.mark.parametrize("route", ROUTES)
def test_without_the_token_nothing_is_done(control: Control, route: str) -> None:
    """Not with another, or one that begins as it does, and not with one in the URL, a cookie or a user's header."""
    for token in (None, ""):
        refused(control(route, {}, token), "X-Control-Token", 401)
    for token in ("x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), f" {TOKEN}", "\xff", "x" * 8000):
        refused(control(route, {}, token), "not the token", 403)
    elsewhere = {
        "QUERY_STRING": f"token={TOKEN}&X-Control-Token={TOKEN}",
        "HTTP_COOKIE": f"X-Control-Token={TOKEN}",
        "HTTP_X_AUTH_TOKEN": TOKEN,
        "HTTP_AUTHORIZATION": f"Basic {TOKEN}",
    }
    refused(control(route, {}, None, **elsewhere), "X-Control-Token", 401)


@pytest.mark.parametrize(
    "path", ["/openapi.json/", "/openapi.json/../rules", "//rules", "/rules/", "/%2e/rules", "/./rules"]
)
def test_no_way_leads_past_the_token(control: Control, path: str) -> None:
    """Only the description is shown without one, by its one path."""
    assert control("GET /openapi.json", token=None).status == 200
    refused(control(f"GET {path}", token=None), "X-Control-Token", 401)


# ---- with it


@pytest.mark.parametrize("route", [it for it in ROUTES if it.startswith(("POST", "PUT"))])
def test_a_body_that_is_none_is_refused(control: Control, route: str) -> None:
    """It is no JSON, no object, too long, too deep, or has a field that is not known."""
    for body in (b"{", b"\xff\xfe", b"[" * 5000, b'{"path": "\\ud800"}', b'{"path": "\\u0000"}'):
        refused(control(route, body), "Malformed request body")
    refused(control(route, b'{"a": "' + b"b" * 200_000 + b'"}'), "", 413)
    for body in ([], [{}], 1, "x", True):
        refused(control(route, body), "Invalid body")
    refused(control(route, {"nonesuch": 1}), "nonesuch")


@pytest.mark.parametrize(
    ("route", "body", "named"),
    [
        ("POST /reset", {"project": "'; DROP TABLE instances; --"}, "project"),
        ("POST /reset", {"project": "*"}, "project"),
        ("POST /reset", {"project": ""}, "project"),
        ("POST /reset", {"project": ["a"]}, "project"),
        ("POST /rules", {"status": 500, "headers": {"X-A": "b\r\nC: d"}}, "headers"),
        ("POST /rules", {"status": 500, "headers": {"X A:": "b"}}, "headers"),
        ("POST /rules", {"delay": 1e9}, "delay"),
        ("PUT /behaviour", {"rules": [{"operation": "../spawn"}]}, "operation"),
        ("PUT /behaviour", {"rules": "!!python/object/apply:os.system ['true']"}, "rules"),
        ("PUT /behaviour", {"rules": [{"delay": {"distribution": "os.system"}}]}, "distribution"),
        ("PUT /losses", {"rules": [{"method": "drop_tables"}]}, "method"),
        ("PUT /losses", {"rules": [{"method": "*", "nth": -1}]}, "nth"),
        ("PUT /losses", {"rules": [{"method": "*", "times": 1e300}]}, "times"),
        ("PUT /losses", {"rules": [{"method": "*", "sender": ["api"]}]}, "sender"),
        ("PUT /losses", {"rules": "!!python/object/apply:os.system ['true']"}, "rules"),
        ("POST /servers/SERVER/state", {"vm_state": "building'--"}, "vm_state"),
        ("POST /servers/SERVER/state", {"uuid": "x"}, "uuid"),
        ("POST /services/mininova-api/action", {"action": "KILL"}, "action"),
        ("POST /services/mininova-api/action", {"action": "pause", "seconds": 1e9}, "seconds"),
    ],
)
def test_a_field_that_cannot_be_is_named(control: Control, route: str, body: Any, named: str) -> None:
    """Nothing of the body is done."""
    refused(control(route, body), named)


@pytest.mark.parametrize("name", ["nonesuch", "..", "%2e%2e", "x" * 3000, "%0a", "1 OR 1=1", "%F0%9F%92%A5"])
def test_what_is_not_there_is_not_found(control: Control, name: str) -> None:
    """By a name of any form; a cloud in one process has no services to kill."""
    for route, body in (("GET /rules", None), ("DELETE /rules", None), ("POST /servers", {"vm_state": "error"})):
        answer = control(f"{route}/{name}{'/state' if body else ''}", body)
        assert answer.status == 404, answer
    assert control(f"POST /services/{name}/action", {"action": "kill"}).status in (404, 409)


# ---- files


@pytest.mark.parametrize("verb", ["save", "load"])
@pytest.mark.parametrize("path", [
    "", "/", "//", "/.", "/..", "/tmp/", "relative", "../up", "~/home", "file:///etc/passwd", "/nowhere/at/all", "/etc",
    "/dev/full/x", "/proc/self/mem/x", "/x" * 3000, f"/{'x' * 300}", "/a\nb/c", ":memory:", 7, None, ["/tmp"], {},
])  # fmt: skip
def test_a_path_that_cannot_be_is_refused(control: Control, verb: str, path: Any) -> None:
    """Whether it is to be written or read, and nothing is left there."""
    refused(control(f"POST /{verb}", {"path": path}), "path")


def test_a_file_that_is_written_is_there_whole_or_not_at_all(control: Control) -> None:
    """A folder stands in its place: nothing is left beside it."""
    refused(control("POST /save", {"path": str(control.cloud.path)}), "path")
    assert not Path(f"{control.cloud.path}.part").exists()


def test_a_pipe_is_not_waited_for(control: Control, tmp_path: Path) -> None:
    """Nor is a device."""
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero", "/dev/stdin"):
        refused(control("POST /load", {"path": path}), "path")


def changed(statement: str) -> Callable[[bytes, Path], None]:
    """Make what writes a saved cloud with one change to its database."""

    def change(saved: bytes, to: Path) -> None:
        to.write_bytes(saved)
        with closing(sqlite3.connect(to)) as file:
            file.execute("PRAGMA foreign_keys = OFF")
            file.executescript(statement)

    return change


#: What is done to a saved cloud.
DAMAGES: dict[str, Callable[[bytes, Path], Any]] = {
    "empty": lambda saved, to: to.write_bytes(b""),
    "text": lambda saved, to: to.write_text("the cloud"),
    "cut short": lambda saved, to: to.write_bytes(saved[: len(saved) // 2]),
    "only its head": lambda saved, to: to.write_bytes(saved[:100]),
    "overwritten": lambda saved, to: to.write_bytes(saved[:8192] + b"\xff" * (len(saved) - 8192)),
    "a table less": changed("DROP TABLE instances"),
    "a table more": changed("CREATE TABLE more (id INT)"),
    "another column": changed("ALTER TABLE instances ADD COLUMN more TEXT"),
    "no guests": changed("DROP TABLE control_guests"),
    "a guest that is none": changed("UPDATE control_guests SET guest = '{}'"),
    "a guest that is no JSON": changed("UPDATE control_guests SET guest = x'ff'"),
    "a guest that is a number": changed("UPDATE control_guests SET guest = 7"),
    "another host": changed("UPDATE control_guests SET host = '../host-1'"),
    "a file elsewhere": changed("INSERT INTO control_files VALUES ('../escaped', x'00')"),
    "a file at the root": changed("INSERT INTO control_files VALUES ('/tmp/mininova-escaped', x'00')"),
    "a file without a name": changed("INSERT INTO control_files VALUES (NULL, x'00')"),
    "the folder itself": changed("INSERT INTO control_files VALUES ('..', x'00')"),
    "a row that leads nowhere": changed("UPDATE instance_action_events SET action_id = 99999"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_hostile_file_is_refused(control: Control, tmp_path: Path, damage: str) -> None:
    """It is looked at before anything is changed, and nothing is written where it says."""
    DAMAGES[damage](control.saved.read_bytes(), tmp_path / "hostile")
    refused(control("POST /load", {"path": str(tmp_path / "hostile")}), "path")
    assert not Path("/tmp/mininova-escaped").exists()


def test_the_file_itself_can_be_loaded(world: Control) -> None:
    """So what was refused was refused for what is wrong with it."""
    assert world("POST /load", {"path": str(world.saved)}).status == 204
    world.before = world.state
