"""Many logins at once do not hold up requests that carry a token; both kinds of threads, over a real server."""

import json
import statistics

import pytest

from tests.fixtures.flood import flooding, post
from tests.fixtures.rest_process import PASSWORD, TOKENS, RestProcess, login_body

SOON = 0.5  # seconds, where the logins of a flood take more than one
CLIENTS = 70  # more than are checked at a time and may wait


@pytest.mark.parametrize(("password", "answer"), [("wrong", "401 Unauthorized"), (PASSWORD, "201 Created")])
def test_a_flood_of_passwords_holds_no_other_up(api: RestProcess, password: str, answer: str) -> None:
    """Some logins are checked, the others are told to come back, and a client with a token is served at once.

    Afterwards every login is checked again.
    """
    token = api.token()
    with flooding(api.port, post(TOKENS, json.dumps(login_body(password)).encode()), CLIENTS) as flood:
        took = [api.served(token) for _ in range(12)]
    assert statistics.median(took) < SOON, took
    refused = "HTTP/1.1 429 Too Many Requests"
    assert set(flood.answers) == {f"HTTP/1.1 {answer}", refused}
    assert "Retry-After: 1" in flood.heads[refused]
    # No place in the queue is lost, not by a wrong password either.
    assert [api.login("wrong")[0], api.login()[0]] == [401, 201]
