"""Queues without a reader: messages pause in them, or wait until an operator looks.

One suite, over memory and over RabbitMQ, as test_transport.py.
"""

import queue
import threading
from uuid import uuid4

import pytest

from mininova import rpc
from mininova.rpc.transports.base import Message, Transport
from mininova.rpc.transports.kombu.brokers import EXPIRES, KNOWS, PAUSES
from tests.fixtures.rpc_bench import BY_KOMBU, PATIENCE, Bench, benches, needs

bench = benches("memory", "in-process", "amqp", "quorum", "qpid", *BY_KOMBU)


def send(transport: Transport, bench: Bench, key: str, body: bytes = b"{}", **properties: object) -> None:
    """Publish a persistent message."""
    how = {"persistent": True, **properties}
    message = Message(body=body, exchange=bench.exchange, routing_key=key, message_id=uuid4().hex, **how)  # type: ignore[arg-type]
    transport.publish_confirmed(message, PATIENCE)


def test_headers_travel_with_a_message(bench: Bench):
    """A text arrives as it was sent, beside the count of deliveries."""
    name = f"any-{bench.mark}"
    heard = bench.listen(name)

    send(bench.peer().transport, bench, name, headers={"traceparent": "00-ab-cd-01", "naïve": "été"}, deliveries=3)
    message = bench.next(heard)

    assert dict(message.headers) == {"traceparent": "00-ab-cd-01", "naïve": "été"}
    assert message.deliveries == 3


def test_several_are_sent_at_once_and_each_has_its_own_outcome(bench: Bench):
    """A message that no queue takes gets an error, and those before and after it arrive."""
    name = f"any-{bench.mark}"
    heard = bench.listen(name)
    keys = [name, f"nobody-{bench.mark}", name]
    messages = [
        Message(body=b"{}", exchange=bench.exchange, routing_key=key, message_id=str(n), persistent=True)
        for n, key in enumerate(keys)
    ]

    errors = bench.peer().transport.publish_all(messages, PATIENCE)

    assert [type(error) for error in errors] == [type(None), rpc.Undeliverable, type(None)]
    assert [bench.next(heard).message_id for _ in range(2)] == ["0", "2"]


def test_a_message_without_headers_has_none(bench: Bench):
    """The transport adds none."""
    name = f"any-{bench.mark}"
    heard = bench.listen(name)

    send(bench.peer().transport, bench, name)

    assert not bench.next(heard).headers


def test_a_paused_message_comes_back_under_another_key(bench: Bench):
    """A message waits in a pause queue, and then goes to its key with its body and headers."""
    name, pause = f"any-{bench.mark}", f"any-{bench.mark}.pause.1"
    heard, transport = bench.listen(name), bench.peer().transport

    for _ in range(2):  # each sender declares it again
        transport.declare_pause(pause, bench.exchange, pause, seconds=0.05, back_to=name)
    send(transport, bench, pause, b"tired", deliveries=2)
    message = bench.next(heard)

    assert (message.body, message.deliveries, message.persistent) == (b"tired", 2, True)


@needs(EXPIRES)
@needs(PAUSES)
def test_a_message_whose_time_is_up_is_dropped(bench: Bench):
    """A reader that comes later does not get it; a pause tells the time here."""
    name, clock, pause = f"any-{bench.mark}", f"clock-{bench.mark}", f"clock-{bench.mark}.pause.1"
    ticks, transport = bench.listen(clock), bench.peer().transport
    transport.declare(name, bench.exchange, name)
    transport.declare_pause(pause, bench.exchange, pause, seconds=0.1, back_to=clock)

    send(transport, bench, name, b"late", expiration=0.05)
    send(transport, bench, pause)
    bench.next(ticks)
    send(transport, bench, name, b"marker")

    assert bench.next(bench.listen(name)).body == b"marker"


@needs(KNOWS)
def test_waiting_messages_can_be_taken(bench: Bench):
    """Messages come in order; those acknowledged are gone, and the rest is in the queue again after ``stop``."""
    name, looker = f"any-{bench.mark}", bench.peer("looker")
    looker.transport.declare(name, bench.exchange, name)
    for body in b"one", b"two", b"three":
        send(looker.transport, bench, name, body)

    found = looker.transport.waiting(name)
    assert [delivery.message.body for delivery in found] == [b"one", b"two", b"three"]
    assert looker.transport.waiting(name) == []
    found[1].ack()
    looker.stop()

    again: queue.Queue[Message] = bench.listen(name)
    assert [bench.next(again).body for _ in range(2)] == [b"one", b"three"]


@needs(KNOWS)
def test_reading_a_missing_queue_is_an_error(bench: Bench):
    """The error names the queue, and the next queue can be read."""
    transport = bench.peer().transport

    with pytest.raises(rpc.Undeliverable, match=f"nowhere-{bench.mark}"):
        transport.waiting(f"nowhere-{bench.mark}")

    transport.declare(f"any-{bench.mark}", bench.exchange, f"any-{bench.mark}")
    assert transport.waiting(f"any-{bench.mark}") == []


@needs(KNOWS)
def test_a_missing_queue_does_not_disturb_other_threads(bench: Bench):
    """Many threads look for queues at once; each existing queue is found, although others are not."""
    transport, outcomes = bench.peer().transport, queue.Queue[tuple[int, str]]()
    transport.declare(f"any-{bench.mark}", bench.exchange, f"any-{bench.mark}")

    def look(number: int) -> None:
        try:
            transport.waiting(f"any-{bench.mark}" if number % 2 else f"nowhere-{number}")
            outcomes.put((number % 2, "found"))
        except rpc.Undeliverable:
            outcomes.put((number % 2, "not found"))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()

    assert {outcomes.get(timeout=PATIENCE) for _ in threads} == {(1, "found"), (0, "not found")}
