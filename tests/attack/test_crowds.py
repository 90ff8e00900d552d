"""More clients than a server can have, at a real stack: who guesses passwords, and who is slow on purpose."""

import contextlib
import json
import resource
import statistics
from collections.abc import Iterator

import pytest

from tests.attack.test_wire import HEAD, served
from tests.fixtures.flood import flooding, post
from tests.fixtures.rest_attacker import IDENTITY, Wire
from tests.fixtures.rest_process import login_body

SOON = 8.0  # seconds, where a slow client is given twenty
SLOW = 1100  # connections, of which a server has a thousand


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have a file for each connection."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], SLOW + 1000), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_hundred_who_guess_passwords_hold_no_other_up(rest_wire: Wire) -> None:
    """Some guesses are checked, the others are told to come back, and a client with a token is served meanwhile."""
    guess = post(f"{IDENTITY}/auth/tokens", json.dumps(login_body("guess")).encode())
    with flooding(rest_wire.port, guess) as flood:
        took = [served(rest_wire) for _ in range(10)]
    assert statistics.median(took) < 1.0, took
    assert {answer.split()[1] for answer in flood.answers} == {"401", "429"}
    assert "Retry-After: 1" in flood.heads["HTTP/1.1 429 Too Many Requests"]


@pytest.mark.parametrize(
    ("saying", "more"), [(b"", b""), (HEAD + b"X-Slow: ", b"y")], ids=["nothing", "a head, letter by letter"]
)
def test_eleven_hundred_slow_clients_keep_no_other_out(
    rest_wire: Wire, many_files: None, saying: bytes, more: bytes
) -> None:
    """They have all places there are, and the next client is served at once."""
    with contextlib.ExitStack() as all_:
        slow = [all_.enter_context(rest_wire.connect()) for _ in range(SLOW)]
        for _ in range(3):
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(saying)
            saying = more
            assert served(rest_wire) < SOON
