"""Having the broker hold what is in no queue: a server is booted on another host, and then the attacker is cut off.

What cuts it off looks every half minute by default.  Here it is started when the others were served, and looks a second
later: so the broker holds too much for as long as that takes, and the test need not wait for the rest.
"""

import time

import pytest
from stack.services import WATCH
from stack.supervisor import Supervisor

from mininova.manage.broker_watch import MOST_HELD_BYTES
from tests.fixtures import taken_over
from tests.fixtures.hoards import hoarding

#: MiB: over the bound of what is held for a user, and over twice what a queue takes.
TOO_MUCH_MIB = 2 * MOST_HELD_BYTES // 1024**2
#: Seconds in which `mininova-manage broker watch` has started, looked, and acted.
WATCHED_WITHIN = 20.0


pytestmark = pytest.mark.only_rabbitmq


@pytest.fixture(autouse=True)
def unchanged():
    """Let the database change, for others are served."""


@pytest.fixture(scope="module")
def watching(stack):
    """Stop the watch, and give a function that starts it, to look each second; in the end it is as it was."""
    file, supervisor = stack.home.etc / "mininova.conf", Supervisor(stack.home)
    before = file.read_text()
    file.write_text(before.replace("[broker_admin]", "[broker_admin]\nwatch_interval = 1"))
    assert file.read_text() != before
    supervisor.stop([WATCH])
    yield lambda: supervisor.start([WATCH])
    file.write_text(before)
    supervisor.start([WATCH])


@pytest.fixture
def watch(stack, watching):
    """Give the function that starts the watch, which is stopped after the test."""
    yield watching
    Supervisor(stack.home).stop([WATCH])


@pytest.fixture
def held(attacker, observe, others_are_served, watch, capsys):
    """Give a function that has the broker hold too much, and waits until the attacker is cut off."""

    def held(how):
        connection = hoarding(attacker.url, attacker.user, attacker.lane, how, TOO_MUCH_MIB)
        others_are_served(f"{TOO_MUCH_MIB} MiB of {how}")
        began = time.monotonic()
        with observe():
            watch()
            while time.monotonic() < began + WATCHED_WITHIN:
                connection.drain_events(timeout=WATCHED_WITHIN)
        with capsys.disabled():
            print(f"    cut off {time.monotonic() - began:.1f} s after the watch began")
        connection.collect()
        attacker.log_in_again()

    return held


def test_transactions(held, observe):
    """Sends messages in a transaction that it never commits."""
    held("transactions")


def test_bodies(held, observe):
    """Begins a message whose body never ends."""
    held("bodies")


def test_unacknowledged(held, observe):
    """Fills its own queue again and again, reads it, and acknowledges nothing."""
    held("unacknowledged")


@pytest.mark.sees("its queue is deleted, and its connection ends, within seconds")
def test_streams(attacker, observe, watch):
    """Makes a stream under a name of its own, which keeps what was read, and for which no bound of queues holds."""
    connection = taken_over.connect(attacker.url)
    channel, stream = connection.channel(), f"compute.{attacker.host}.pause.5"
    channel.queue_declare(stream, durable=True, auto_delete=False, arguments={"x-queue-type": "stream"})
    channel.basic_qos(0, 1, False)
    channel.basic_consume(stream)
    with observe():
        watch()
        connection.drain_events(timeout=WATCHED_WITHIN)
    connection.collect()
    attacker.log_in_again()
