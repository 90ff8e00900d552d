"""``tools/stack.sh broker``: a private broker for a reader of the tutorials, and for any project."""

import pytest
from kombu import Connection
from stack import processes, settings

from tests.stack.test_stack_tool import listening


@pytest.fixture(scope="module")
def alone(make_stack):
    """Start a broker beside a stack that is not started, and stop it in the end; ``first_output`` is its URL."""
    stack = make_stack()
    started = stack.sh("broker")
    assert started.returncode == 0, started.stderr
    (stack.first_output,) = started.stdout.split()
    yield stack
    stack.sh("broker", "stop", "--clean")


def test_its_password_is_private(alone):
    """Only this user can read its files, and a login without the password is refused."""
    assert settings.home_of_broker(alone.environment).root.stat().st_mode & 0o077 == 0
    other = alone.first_output.replace("mininova:", "mininova:not-", 1)
    with Connection(other) as connection, pytest.raises(Exception, match="403"):
        connection.connect()


def test_a_broker_of_ones_own(alone):
    """Its user can log in, and it listens on the loopback address only; a second run changes nothing. Stopped it leaves
    no process, and started once more it has the same URL.
    """
    home, url = settings.home_of_broker(alone.environment), alone.first_output
    with Connection(url) as connection:
        connection.connect()
    assert {address for address, _ in listening(processes.of(home.root))} == {"127.0.0.1"}

    running = erlangs_of(home)
    again = alone.sh("broker")
    assert (again.stdout.split(), "up already" in again.stderr) == ([url], True)
    assert erlangs_of(home) == running
    assert len(running) == 1

    assert alone.sh("broker", "stop").returncode == 0
    assert processes.of(home.root) == {}
    assert alone.sh("broker").stdout.split() == [url]

    assert "The broker has stopped." in alone.sh("broker", "stop", "--clean").stderr
    assert (processes.of(home.root), home.root.exists()) == ({}, False)
    assert "nothing to stop" in alone.sh("broker", "stop").stderr


def erlangs_of(home):
    """Give the pid of each Erlang of a home: RabbitMQ runs ``df`` beside it, now and then, for a moment."""
    return [pid for pid, command in processes.of(home.root).items() if "beam" in command]
