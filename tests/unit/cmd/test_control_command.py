"""mininova-control, at the services of a stack: what it asks, and what it prints."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from mininova import errors
from mininova.control.app import ControlApplication
from mininova.control.services import Action, ServiceHandlers
from tests.fixtures import forked

COMPUTE, SERVICE = "mininova-compute-host-1", "compute.host-1"


class OneService:
    """A stack of one service.

    :ivar done: what was done to it
    """

    def __init__(self) -> None:
        self.done: list[Action] = []

    def services(self) -> list[dict[str, Any]]:
        done = [it.action for it in self.done]
        return [{"name": COMPUTE, "service": SERVICE, "state": "running", "pid": 7, "since": 1, "actions": done}]

    def act(self, name: str, action: Action) -> None:
        if name != COMPUTE:
            raise errors.NotFound(f"There is no service {name}.")
        self.done.append(action)

    def act_unheard(self, name: str, action: Action) -> None:
        raise AssertionError("none of its services is this process")


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[OneService]:
    """Serve the control API of a stack, where control.json says."""
    made = OneService()
    app = ControlApplication("a token", ServiceHandlers(made).routes())
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = {"url": f"http://127.0.0.1:{server.server_port}", "token": "a token"}
        (tmp_path / "control.json").write_text(json.dumps(said))
        yield made
        server.shutdown()


def control(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return forked.run("mininova-control", words, {"MININOVA_CONTROL": str(folder / "control.json")})


def test_something_is_done_to_a_service_and_listed(stack: OneService, tmp_path: Path) -> None:
    """For a minute, or for as long as is asked."""
    assert control(tmp_path, "service", COMPUTE, "pause").returncode == 0
    assert control(tmp_path, "service", COMPUTE, "cut", "--seconds", "5").returncode == 0
    listed = control(tmp_path, "services").stdout
    assert stack.done == [Action("pause", 60), Action("cut", 5)]
    assert listed.splitlines()[1].split() == [COMPUTE, SERVICE, "running", "7", "pause", "cut"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sshd", "kill"), "There is no service sshd."),
        (("some ñame?", "kill"), "There is no service some ñame?."),
        (("", "kill"), "an id or a name is empty"),
        ((COMPUTE, "explode"), "Invalid input for field/attribute action: Invalid enum value 'explode'"),
    ],
)
def test_what_is_refused_is_one_line(stack: OneService, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """In the words of the API."""
    done = control(tmp_path, "service", *words)
    assert (done.returncode, done.stderr, stack.done) == (2, f"mininova-control: {said}\n", [])


def test_an_empty_id_deletes_no_rules(stack: OneService, tmp_path: Path) -> None:
    """As of a variable of a shell that is not set: without an id all are deleted."""
    done = control(tmp_path, "delete", "")
    assert (done.returncode, done.stderr) == (2, "mininova-control: an id or a name is empty\n")


@pytest.mark.parametrize("said", [{"url": 1, "token": "a token"}, {"url": "http://127.0.0.1:1"}, []])
def test_a_file_that_says_something_else_is_one_line(tmp_path: Path, said: Any) -> None:
    (tmp_path / "control.json").write_text(json.dumps(said))
    done = control(tmp_path, "rules")
    why = f"mininova-control: {tmp_path / 'control.json'} has no JSON with a url and a token\n"
    assert (done.returncode, done.stderr) == (2, why)


def test_a_cloud_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """It names the file that said where it was."""
    (tmp_path / "control.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "token": "a token"}))
    done = control(tmp_path, "services")
    assert done.returncode == 2
    assert f"the cloud of {tmp_path / 'control.json'} does not answer" in done.stderr
