"""Many logins at once do not hold up requests that carry a token; both kinds of threads, over a real server."""

import json
import statistics
from collections.abc import Iterator

import pytest

from mininova.service import concurrency
from tests.fixtures.flood import flooding, post
from tests.fixtures.rest_process import PASSWORD, TOKENS, RestProcess, login_body, rest_process

SOON = 0.5  # seconds, where a hundred logins take two


@pytest.fixture(scope="module", params=concurrency.KINDS)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestProcess]:
    """Run the REST APIs on each kind of threads in turn."""
    with rest_process(request.param, tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.mark.parametrize(("password", "answer"), [("wrong", "401 Unauthorized"), (PASSWORD, "201 Created")])
def test_a_flood_of_passwords_holds_no_other_up(api: RestProcess, password: str, answer: str) -> None:
    """Some logins are checked, the others are told to come back, and a client with a token is served at once."""
    token = api.token()
    with flooding(api.port, post(TOKENS, json.dumps(login_body(password)).encode())) as flood:
        took = [api.served(token) for _ in range(20)]
    assert statistics.median(took) < SOON, took
    refused = "HTTP/1.1 429 Too Many Requests"
    assert set(flood.answers) == {f"HTTP/1.1 {answer}", refused}
    assert "Retry-After: 1" in flood.heads[refused]


def test_after_a_flood_logins_are_checked_again(api: RestProcess) -> None:
    """No place in the queue is lost, not by a wrong password either."""
    with flooding(api.port, post(TOKENS, json.dumps(login_body("wrong")).encode())):
        pass
    assert [api.login("wrong")[0], api.login()[0]] == [401, 201]
