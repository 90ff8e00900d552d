"""The services of a stack, as the control API lists them and has things done to them."""

import os
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, create_environ, run_wsgi_app

from mininova import errors
from mininova.control.app import ControlApplication
from mininova.control.services import Action, LocalStack, ServiceHandlers, Stack

TOKEN = {"X-Control-Token": "a token"}
API, COMPUTE = "mininova-api", "mininova-compute-host-1"


class FakeStack:
    """A stack that remembers what was done to its services.

    :ivar done: service, action and seconds
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str, float]] = []

    def services(self) -> list[dict[str, Any]]:
        return [
            {"name": API, "service": "api.ctl-1", "pid": os.getpid()},
            {"name": COMPUTE, "service": "compute.host-1", "pid": 1},
        ]

    def act(self, name: str, action: Action) -> None:
        if name != COMPUTE:
            raise errors.NotFound(f"There is no service {name}.")
        self.done.append((name, action.action, action.seconds))

    def act_unheard(self, name: str, action: Action) -> None:
        self.done.append((name, action.action, action.seconds))


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


def client(stack: Stack | None) -> Client:
    """Give a client of the control API of a stack."""
    return Client(ControlApplication("a token", ServiceHandlers(stack).routes()))


def act(stack: Stack | None, name: str, body: Any) -> Any:
    """Ask for an action; give the answer."""
    return client(stack).post(f"/services/{name}/action", json=body, headers=TOKEN)


def test_services_are_listed(stack: FakeStack) -> None:
    """As the stack says."""
    assert client(stack).get("/services", headers=TOKEN).json == {"services": stack.services()}


def test_something_is_done_to_a_service(stack: FakeStack) -> None:
    """What lasts ends after a minute, or when it was asked to."""
    answers = [act(stack, COMPUTE, body).status_code for body in ({"action": "pause"}, {"action": "cut", "seconds": 5})]
    assert answers == [202, 202]
    assert stack.done == [(COMPUTE, "pause", 60), (COMPUTE, "cut", 5)]


@pytest.mark.parametrize("name", [API, "api.ctl-1"])
def test_the_api_answers_before_it_is_killed(stack: FakeStack, name: str) -> None:
    """The action comes when the whole answer has been taken, by whichever name it was asked for."""
    asked = create_environ(f"/services/{name}/action", method="POST", json={"action": "kill"}, headers=TOKEN)
    answer, status, headers = run_wsgi_app(ControlApplication("a token", ServiceHandlers(stack).routes()), asked)
    taken = next(iter(answer))
    assert (status, headers["Content-Length"], taken, stack.done) == ("202 Accepted", "2", b"{}", [])
    assert list(answer) == []
    assert stack.done == [(name, "kill", 60)]


def test_what_is_said_in_the_name_of_the_api_is_answered(stack: FakeStack) -> None:
    """It ends no process, so a refusal is heard."""
    assert act(stack, API, {"action": "mismatch"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "action"),
        ({"action": "SIGKILL"}, "action"),
        ({"action": None}, "action"),
        ({"action": "pause", "seconds": 0}, "seconds"),
        ({"action": "pause", "seconds": 601}, "seconds"),
        ({"action": "pause", "seconds": "1"}, "seconds"),
        ({"action": "kill", "signal": 9}, "signal"),
        (["kill"], "object"),
    ],
)
def test_what_is_no_action_is_refused(stack: FakeStack, body: Any, named: str) -> None:
    """The answer names the field, and nothing is done."""
    answer = act(stack, COMPUTE, body)
    assert (answer.status_code, named in answer.json["badRequest"]["message"]) == (400, True), answer.text
    assert stack.done == []


def test_a_service_that_is_not_there_is_not_found(stack: FakeStack) -> None:
    """The answer names it."""
    answer = act(stack, "sshd", {"action": "kill"})
    assert (answer.status_code, "sshd" in answer.json["itemNotFound"]["message"]) == (404, True)


def test_a_cloud_in_one_process_has_no_services_to_kill() -> None:
    """It says how to have a cloud that has."""
    for answer in (act(None, API, {"action": "kill"}), client(None).get("/services", headers=TOKEN)):
        assert (answer.status_code, "tools/stack.sh" in answer.json["conflictingRequest"]["message"]) == (409, True)


def test_a_stack_that_does_not_answer_is_no_error_of_ours(tmp_path: Path) -> None:
    """Its socket is not there."""
    answer = act(LocalStack(str(tmp_path / "socket")), API, {"action": "kill"})
    assert (answer.status_code, "does not answer" in answer.json["conflictingRequest"]["message"]) == (409, True)
