"""Having the broker hold what is in no queue: a server is booted on another host until the attacker is cut off."""

import time

import pytest

from mininova.manage.broker_watch import MOST_HELD_BYTES
from tests.fixtures import taken_over
from tests.fixtures.hoards import hoarding

#: MiB: over the bound of what is held for a user, and over twice what a queue takes.
TOO_MUCH_MIB = 2 * MOST_HELD_BYTES // 1024**2
#: Seconds in which `mininova-manage broker watch` has looked, and acted; by default it looks every ten.
WATCHED_WITHIN = 20.0


@pytest.fixture(autouse=True)
def unchanged():
    """Let the database change, for others are served."""


@pytest.fixture
def held(attacker, observe, others_are_served, capsys):
    """Give a function that has the broker hold too much, and waits until the attacker is cut off."""

    def held(how):
        connection = hoarding(attacker.url, attacker.user, attacker.lane, how, TOO_MUCH_MIB)
        others_are_served(f"{TOO_MUCH_MIB} MiB of {how}")
        began = time.monotonic()
        with observe():
            while time.monotonic() < began + WATCHED_WITHIN:
                connection.drain_events(timeout=WATCHED_WITHIN)
        with capsys.disabled():
            print(f"    cut off after {time.monotonic() - began:.1f} s more")
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
def test_streams(attacker, observe):
    """Makes a stream under a name of its own, which keeps what was read, and for which no bound of queues holds."""
    connection = taken_over.connect(attacker.url)
    channel, stream = connection.channel(), f"compute.{attacker.host}.pause.5"
    channel.queue_declare(stream, durable=True, auto_delete=False, arguments={"x-queue-type": "stream"})
    channel.basic_qos(0, 1, False)
    channel.basic_consume(stream)
    with observe():
        connection.drain_events(timeout=WATCHED_WITHIN)
    connection.collect()
    attacker.log_in_again()
