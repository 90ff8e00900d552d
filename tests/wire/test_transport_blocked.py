"""A broker that is low on memory takes no messages: no sender waits beyond its deadline, and no message is lost."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.base import FANOUT, Message
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Gate, Keeper, Lamp


@pytest.fixture
def bench(private_broker: PrivateBroker) -> Iterator[AMQPBench]:
    """Give a real broker: the one in memory never runs low."""
    made = AMQPBench(private_broker.url)
    yield made
    made.close()


@contextmanager
def low_on_memory(broker: PrivateBroker) -> Iterator[None]:
    """Have the broker believe for a while that its memory is full."""
    broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1}).")
    try:
        yield
    finally:
        broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.4).")


def when_blocked(peer: rpc.Peer) -> threading.Event:
    """Give an event that is set when the broker blocks this process, which it says at the next message."""
    transport, blocked = peer.transport, threading.Event()
    assert isinstance(transport, AMQPTransport)
    assert transport._live is not None
    transport._live.link.at_block.append(blocked.set)
    transport.publish(Message(body=b"{}", exchange=peer.exchange, routing_key="nowhere", message_id="last"))
    return blocked


def test_a_sender_waits_no_longer_than_its_deadline(bench: AMQPBench, private_broker: PrivateBroker):
    """A cast, a call and an unconfirmed message fail at their deadline with an error that says why; later messages pass
    again.
    """
    keeper = Keeper()
    bench.serve(keeper)
    peer = bench.peer()
    client: Any = bench.client(peer).within(0.2)
    event = Message(body=b"{}", exchange="flow", routing_key="", message_id="", expiration=0.2)
    client.within(PATIENCE).get(CTXT, "before")

    with low_on_memory(private_broker):
        assert when_blocked(peer).wait(PATIENCE)
        for publish in (
            lambda: client.switch(CTXT, Lamp("desk")),
            lambda: client.toggle(CTXT, "desk"),
            lambda: peer.transport.publish(event, kind=FANOUT),
        ):
            with pytest.raises(rpc.MessagingTimeout, match="takes no messages now"):
                publish()

    assert client.within(PATIENCE).get(CTXT, "after") == Lamp("after")


def test_no_confirmed_cast_is_lost(bench: AMQPBench, private_broker: PrivateBroker):
    """Casts that were begun before and during it are confirmed afterwards, and each is handled."""
    keeper, peer, outcomes = Keeper(), bench.peer(), queue.Queue[str]()
    bench.serve(keeper)
    client: Any = bench.client(peer)

    def cast(name: str) -> None:
        client.switch(CTXT, Lamp(name))
        outcomes.put(name)

    names = {f"lamp {number}" for number in range(50)}
    with low_on_memory(private_broker):
        blocked = when_blocked(peer)
        threads = [threading.Thread(target=cast, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        assert blocked.wait(PATIENCE)

    assert {outcomes.get(timeout=PATIENCE) for _ in names} == names
    assert {bench.next(keeper.asked)[1][0].name for _ in names} == names


def test_a_graceful_stop_ends_while_the_broker_takes_nothing(bench: AMQPBench, private_broker: PrivateBroker):
    """The server cannot cancel its subscription and does not wait for that; handlers that have begun end."""
    keeper, peer, gate = Keeper(), bench.peer("lamp.a"), Gate()
    keeper.does["switch"] = gate
    server = bench.serve(keeper, peer=peer)
    bench.client().switch(CTXT, Lamp("begun"))
    assert gate.entered.wait(PATIENCE)

    with low_on_memory(private_broker):
        assert when_blocked(peer).wait(PATIENCE)
        stopped: queue.Queue[bool] = queue.Queue()
        threading.Thread(target=lambda: stopped.put(server.stop(PATIENCE))).start()
        gate.may_leave.set()
        assert stopped.get(timeout=PATIENCE) is True
        peer.stop()
