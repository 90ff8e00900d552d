"""What Qpid keeps less well than RabbitMQ: the sentences of mininova/trust/broker/qpid.py that a test can show."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest
from kombu.exceptions import ChannelError
from stack.qpid import Node

from mininova import rpc
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.dialects import qpid
from mininova.rpc.transports.base import TOPIC, Message, Subscription
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import PASSWORD, PrivateBroker, all_may_do_everything
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp


@pytest.fixture
def bench(private_qpid: PrivateBroker) -> Iterator[AMQPBench]:
    """Give names of one's own on the Qpid that all tests share."""
    made = AMQPBench(private_qpid.url)
    yield made
    made.close()


def test_a_refused_cast_costs_the_connection(bench: AMQPBench, private_qpid: PrivateBroker):
    """The sender of the only cast on its way hears at once that it is refused, and goes on by a new connection."""
    user, keys = f"limited-{bench.mark}", {"exchange": bench.exchange, "write": rf"^{bench.topic}\.a$", "read": ".*"}
    everything = dict.fromkeys(("configure", "write", "read"), ".*")
    private_qpid.define(
        {
            "users": [definitions.user(user, PASSWORD)],
            "permissions": [{"user": user, "vhost": "/", **everything}],
            "topic_permissions": [{"user": user, "vhost": "/", **keys}],
        }
    )
    bench.serve(Keeper())
    peer = bench.peer(user=user)
    live = peer.transport._live

    with pytest.raises(rpc.MessageRefused, match="denied"):
        bench.client(peer).on("b").switch(CTXT, Lamp("desk"))

    assert bench.client(peer).on("a").get(CTXT, "desk") == Lamp("desk")
    assert peer.transport._live is not live


def test_a_full_queue_refuses_more_and_one_for_others_keeps_the_latest(qpid_jars: Path):
    """The bounds come from the definitions, though Qpid has no policies by names: here they are 3 messages."""
    bounded = definitions.places()
    for policy in bounded["policies"]:
        policy["definition"] = {**policy["definition"], "max-length": 3}
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    defined = definitions.merged(all_may_do_everything(), bounded)
    node = PrivateBroker(folder, qpid_jars, definitions=defined, kind=Node)
    node.start()
    transport = AMQPTransport(node.url)
    transport.start()

    def send(key: str) -> list[type[Exception] | None]:
        messages = [Message(body=b"{}", exchange="E", routing_key=key, message_id=f"{number}") for number in range(5)]
        return [error and type(error) for error in transport.publish_all(messages, PATIENCE)]

    lamp = Subscription(queue="lamp", exchange="E", kind=TOPIC, routing_key="lamp", on_delivery=lambda delivery: None)
    try:
        transport.subscribe(lamp)
        transport.declare("lamp.dead", "E", "lamp.dead")
        assert send("lamp") == [None, None, None, rpc.Undeliverable, rpc.Undeliverable]
        assert send("lamp.dead") == [None] * 5
        assert [delivery.message.message_id for delivery in transport.waiting("lamp.dead")] == ["2", "3", "4"]
    finally:
        transport.stop()
        node.kill()
        shutil.rmtree(folder)


def test_a_call_of_a_sender_whose_clock_is_late_is_dropped(bench: AMQPBench, monkeypatch: pytest.MonkeyPatch):
    """The broker takes an expiration for a time of day, and by its own clock that is over."""
    keeper = Keeper()
    bench.serve(keeper)
    now = qpid.time.time
    monkeypatch.setattr(qpid.time, "time", lambda: now() - 60)

    with pytest.raises(rpc.MessagingTimeout):
        bench.client().within(1).toggle(CTXT, "desk")
    assert keeper.asked.empty()


def test_a_queue_of_replies_goes_with_its_connection(bench: AMQPBench):
    """An answer that comes while its caller connects again is lost; an idempotent call is sent again."""
    peer = bench.peer()
    with kombu.Connection(bench.url) as connection:
        connection.default_channel.queue_declare(peer.reply_queue, passive=True)
        peer.stop()
        with pytest.raises(ChannelError):
            connection.default_channel.queue_declare(peer.reply_queue, passive=True)
