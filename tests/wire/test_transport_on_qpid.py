"""What Qpid keeps less well than RabbitMQ: the sentences of mininova/trust/broker/qpid.py that a test can show."""

from collections.abc import Iterator

import kombu
import pytest
from kombu.exceptions import ChannelError

from mininova import rpc
from mininova.rpc.transports.amqp.dialects import qpid
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import PASSWORD, PrivateBroker
from tests.fixtures.rpc_bench import CTXT, AMQPBench, Keeper, Lamp


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
