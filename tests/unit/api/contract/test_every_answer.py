"""The middleware under every test of the Compute API fails one that is answered as Nova would not answer."""

from typing import Any

import pytest

from mininova.wsgi import Request, Response
from tests.fixtures.nova_contract import KeepsContract


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


def test_an_answer_as_novas_is_let_by() -> None:
    """It stays as it is; so do a refusal, and what is no part of the Compute API."""
    assert ask("/v2.1/flavors", 200, {"flavors": []}).json == {"flavors": []}
    assert ask("/v2.1/inventions", 404, {}).status_int == 404
    assert ask("/", 300, []).status_int == 300
