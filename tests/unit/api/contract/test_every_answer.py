"""The middleware under every test of the Compute API fails one that is answered as Nova would not answer."""

import configparser
from pathlib import Path
from typing import Any

import pytest

from mininova.wsgi import Request, Response
from tests.fixtures.checked_stack import Checks
from tests.fixtures.nova_contract import KeepsContract, filter_factory


def ask(path: str, status: int, body: Any, version: str = "2.1") -> Response:
    """Ask an application that always answers so."""
    answer = Response(status=status, json_body=body, headers={"X-OpenStack-Nova-API-Version": version})
    return Request.blank(f"/compute{path}").get_response(KeepsContract(answer, "/compute"))


@pytest.mark.parametrize(
    ("path", "status", "body", "problem"),
    [
        ("/v2.1/flavors", 200, {}, "'flavors' is a required property"),
        ("/v2.1/" + "a" * 32 + "/flavors", 202, {"flavors": []}, r"202, not \{200\}"),
        ("/v2.1/flavors", 409, {}, "409 is not expected"),
        ("/v2.1/inventions", 200, {}, "Nova has no such operation"),
    ],
)
def test_another_answer_fails_the_test(path: str, status: int, body: Any, problem: str) -> None:
    """The error says which operation, and what is wrong."""
    with pytest.raises(AssertionError, match=problem):
        ask(path, status, body)


def test_a_stack_writes_them_down(tmp_path: Path) -> None:
    """The client of a stack gets such an answer, and the file says what is wrong with it."""
    checks = Checks(tmp_path)
    paste = configparser.RawConfigParser()
    paste.read(checks.variables["MININOVA_PASTE_CONFIG"])
    made = filter_factory({}, paste["filter:keeps_contract"]["broken"])
    assert paste["pipeline:mininova"]["pipeline"].startswith("keeps_contract ")
    assert checks.has_begun
    checks.fail_if_broken()

    answer = Response(status=200, json_body={}, headers={"X-OpenStack-Nova-API-Version": "2.1"})
    assert Request.blank("/compute/v2.1/flavors").get_response(made(answer)).json == {}
    with pytest.raises(AssertionError, match=r"answer GET /compute/v2\.1/flavors so:\n.*'flavors' is a required"):
        checks.fail_if_broken()


def test_an_answer_as_novas_is_let_by() -> None:
    """It stays as it is; so do a refusal, and what is no part of the Compute API."""
    assert ask("/v2.1/flavors", 200, {"flavors": []}).json == {"flavors": []}
    assert ask("/v2.1/inventions", 404, {}).status_int == 404
    assert ask("/", 300, []).status_int == 300
