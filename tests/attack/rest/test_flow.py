"""What a client leaves in the flow, which keeps each request that changes something: nothing, without a token."""

import io

import pytest

from tests.fixtures.rest_attacker import COMPUTE, Attacker
from tests.fixtures.rest_routes import TARGETS, Target, pairs

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}


def short(value: object) -> str:
    """Name a case."""
    return str(value)[:40]


def shown(attacker: Attacker, *request, **how) -> tuple[int, list[int]]:
    """Send a request; give the status that the client sees, and those that the flow shows."""
    attacker.cloud.events.clear()
    status = attacker(*request, **how).status
    return status, [event.payload["status"] for event in attacker.cloud.events if event.kind == "http"]


@pytest.mark.parametrize(("target", "token"), pairs(TARGETS, (None, "", "not a token", "x" * 5000)), ids=short)
def test_a_client_without_a_token_leaves_no_history(rest_attacker: Attacker, target: Target, token: str | None):
    """A request whose sender is not known is in no list, whatever it is answered with."""
    for environ in {}, {"CONTENT_LENGTH": str(10**9)}, CHUNKED:
        how = {"user": None, "token": token, "environ": environ}
        assert shown(rest_attacker, target.method, target.of(rest_attacker), {"a": 1}, **how)[1] == []


@pytest.mark.parametrize(
    ("body", "environ", "status"),
    [
        (b"{", {}, 400),
        ({"server": {}}, {}, 400),
        (b"a=b", {"CONTENT_TYPE": "text/html"}, 415),
        (b"x" * 2_000_000, CHUNKED, 413),
    ],
)
def test_the_status_is_the_one_that_the_client_saw(rest_attacker: Attacker, body, environ, status: int):
    """A refusal, by whatever filter, is shown with its own status."""
    more = {**environ, "wsgi.input": io.BytesIO(body)} if isinstance(body, bytes) else environ
    assert shown(rest_attacker, "POST", f"{COMPUTE}/servers", body, environ=more) == (status, [status])
