"""What happens where a broker lacks a promise of docs/rpc/promises.md: docs/rpc/brokers.md says the same."""

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import kombu
import pytest

from mininova import rpc
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.kombu import KombuTransport
from mininova.rpc.transports.kombu.brokers import (
    BROKERS,
    EXPIRES,
    HEIRS,
    KNOWS,
    LASTS,
    PAUSES,
    PREFIX,
    SENSE,
    STOPS,
    VOUCHES,
)
from tests.fixtures.rpc_bench import CTXT, PATIENCE, Keeper, KombuBench, Lamp, broken

ROOT = Path(__file__).parents[4]

URLOf = Callable[[str], str]


def lacking(promise: str):
    """Run a test over each broker that lacks a promise."""
    return pytest.mark.parametrize("scheme", [PREFIX + name for name, it in BROKERS.items() if promise in it.lacks])


@pytest.fixture
def bench(scheme: str, kombu_url: URLOf):
    """Give a bench over the broker that lacks it."""
    made = KombuBench(kombu_url(scheme))
    yield made
    made.close()


def send(bench: KombuBench, key: str, **properties: object) -> None:
    """Publish a message."""
    how = {"body": b"{}", "exchange": bench.exchange, "routing_key": key, "message_id": uuid4().hex, **properties}
    bench.peer().transport.publish_confirmed(Message(**how), PATIENCE)  # type: ignore[arg-type]


@lacking(VOUCHES)
def test_no_sender_has_a_name(bench: KombuBench):
    """A receiver is told of no user, whatever the message says."""
    heard = bench.listen(name := f"any-{bench.mark}")

    send(bench, name, user_id="conductor")

    assert bench.next(heard).user_id is None


@lacking(EXPIRES)
def test_a_message_whose_time_is_up_is_delivered(bench: KombuBench):
    """A call whose caller has given up is run, when its server comes."""
    peer = bench.peer()
    peer.transport.declare(bench.topic, bench.exchange, bench.topic)
    with pytest.raises(rpc.MessagingTimeout):
        bench.client(peer).within(0.2).toggle(CTXT, "desk")
    keeper = Keeper()

    bench.serve(keeper, "b")

    assert bench.next(keeper.asked) == ("toggle", "desk")


@lacking(PAUSES)
def test_a_cast_that_failed_is_tried_again_at_once(bench: KombuBench):
    """It is tried five times without a pause, and then parked: here the pauses would be hours."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    bench.serve(Keeper(switch=broken), watch=rpc.Flow(events.put), pauses=(3600,) * 4)

    bench.client().switch(CTXT, Lamp("desk"))
    kinds = [bench.next(events).kind]
    while kinds[-1] != "parked":
        kinds.append(bench.next(events).kind)

    assert kinds.count("retried") == 4


def test_redis_gives_to_an_heir_when_its_patience_ends(private_redis):
    """What a killed receiver had in hand comes to the next one after kombu's ``visibility_timeout``, flagged."""
    bench = KombuBench(private_redis.url, heartbeat=1.0, options={"visibility_timeout": 1})
    first, taken = bench.peer("lamp.a"), threading.Event()
    bench.serve(Keeper(), "a", peer=first, spawn=lambda *args: taken.set())
    bench.client().switch(CTXT, Lamp("desk"))
    assert taken.wait(PATIENCE)
    heir = Keeper()
    bench.serve(heir, "b")
    began = time.monotonic()

    bench.kill(first)

    assert bench.next(heir.asked) == ("switch", (Lamp("desk"), "white"))
    assert time.monotonic() - began > 0.5
    bench.close()


def test_a_file_in_a_killed_hand_is_lost(kombu_url: URLOf):
    """Kombu takes the file away when it delivers it, so it is gone with its receiver."""
    bench = KombuBench(kombu_url("kombu+filesystem"))
    first, taken, heir = bench.peer("lamp.a"), threading.Event(), Keeper()
    bench.serve(Keeper(), "a", peer=first, spawn=lambda *args: taken.set())
    client = bench.client()
    client.switch(CTXT, Lamp("desk"))
    assert taken.wait(PATIENCE)

    bench.kill(first)
    bench.serve(heir, "b")
    client.switch(CTXT, Lamp("marker"))

    assert bench.next(heir.asked)[1][0] == Lamp("marker")
    bench.close()


@lacking(STOPS)
def test_a_call_that_comes_just_after_a_stop_is_not_run(bench: KombuBench):
    """Redis gives it to the server that waited a moment ago; it comes back as one that may have been done."""
    bench.serve(Keeper(), "a").stop()
    keeper = Keeper()
    bench.serve(keeper, "b")

    with pytest.raises(rpc.MessagingTimeout, match="may have done toggle, or not"):
        bench.client().toggle(CTXT, "desk")

    assert keeper.asked.empty()


@lacking(KNOWS)
def test_an_empty_queue_and_none_are_the_same(bench: KombuBench):
    """What waits in them is asked: both are empty, or both are not there."""
    transport, asked = bench.peer().transport, []
    transport.declare(f"any-{bench.mark}", bench.exchange, f"any-{bench.mark}")

    for name in f"any-{bench.mark}", f"none-{bench.mark}":
        try:
            asked.append(list(transport.waiting(name)))
        except rpc.Undeliverable:
            asked.append(None)

    assert asked[0] == asked[1]


@lacking(SENSE)
def test_a_message_that_py_amqp_cannot_read_stops_its_readers(bench: KombuBench):
    """It ends the connection, comes again when that is made anew, and so without end."""
    bench.serve(Keeper())
    client = bench.client()
    assert client.get(CTXT, "before") == Lamp("before")

    with kombu.Connection(bench.url.removeprefix(PREFIX)) as connection:
        kombu.Producer(connection.default_channel).publish(b"{}", routing_key=bench.topic, message_id=b"\xff")

    with pytest.raises(rpc.MessagingTimeout):
        client.within(1).toggle(CTXT, "after")
    with kombu.Connection(bench.url.removeprefix(PREFIX)) as connection:
        connection.default_channel.queue_delete(bench.topic)


CAST = """
import sys
from tests.fixtures.rpc_bench import CTXT, Keeper, KombuBench, Lamp
bench = KombuBench(sys.argv[1])
bench.api.topic, bench.exchange = "lamp-ends", "bench-ends"
bench.serve(Keeper()).stop()
bench.client().switch(CTXT, Lamp("desk"))
bench.close()
"""


@pytest.mark.parametrize("scheme", ["kombu+filesystem", "kombu+memory"])
def test_memory_ends_with_its_process(scheme: str, bench: KombuBench):
    """A cast of a process that has ended is in its folder, or nowhere."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", CAST, bench.url], cwd=ROOT, timeout=60, check=True)
    transport: KombuTransport = bench.peer().transport  # type: ignore[assignment]

    try:
        waits = len(transport.waiting("lamp-ends"))
    except rpc.Undeliverable:
        waits = 0

    assert waits == (0 if LASTS in transport.lacks else 1)


def test_each_lack_is_shown():
    """A broker lacks nothing of which this file does not show what happens."""
    shown = {VOUCHES, EXPIRES, PAUSES, KNOWS, LASTS, HEIRS, STOPS, SENSE}

    assert set().union(*(broker.lacks for broker in BROKERS.values())) == shown
