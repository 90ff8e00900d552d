"""A connection speaks the dialect of the broker that greets it."""

import pytest

from mininova.rpc.transports.amqp import dialects
from mininova.rpc.transports.base import FANOUT, TOPIC, Message, Subscription

SENT = Message(body=b"{}", exchange="E", routing_key="lamp.desk", message_id="1", expiration=7.0)


def subscription(kind: str, key: str) -> Subscription:
    """Read a queue."""
    return Subscription(queue="q", exchange="E", kind=kind, routing_key=key, on_delivery=print)


@pytest.mark.parametrize(
    ("greeting", "chosen"),
    [
        ({"product": "RabbitMQ", "version": "3.10.8"}, dialects.RABBITMQ),
        ({"product": "Apache Qpid Broker-J Core", "version": "9.2.0"}, dialects.QPID),
        ({"product": "LavinMQ"}, dialects.RABBITMQ),
        ({}, dialects.RABBITMQ),
    ],
)
def test_the_greeting_says_which(greeting, chosen):
    """A broker that we do not know mostly took RabbitMQ's words over."""
    assert dialects.spoken_by(greeting) is chosen


def test_rabbitmq_gets_a_message_as_it_is():
    """Nothing of it is changed on the way, in either direction."""
    assert dialects.RABBITMQ.sent(SENT) is SENT
    assert dialects.RABBITMQ.came(SENT, subscription(TOPIC, "lamp")) is SENT


def test_qpid_is_told_a_time_of_day(monkeypatch):
    """It takes an expiration for a time, and the receiver has what is left."""
    monkeypatch.setattr("time.time", lambda: 1000.0)
    sent = dialects.QPID.sent(SENT)
    monkeypatch.setattr("time.time", lambda: 1002.0)

    assert sent.expiration == 1007.0
    assert dialects.QPID.came(sent, subscription(TOPIC, "lamp")).expiration == 5.0
    monkeypatch.setattr("time.time", lambda: 2000.0)  # by another machine's clock
    assert dialects.QPID.came(sent, subscription(TOPIC, "lamp")).expiration is None


def test_what_waited_on_qpid_is_read_under_the_key_of_its_reader():
    """It keeps the key by which it went into the pause, and no reader is bound with that."""
    waited = dialects.QPID.came(SENT, subscription(TOPIC, "lamp"))
    assert waited.routing_key == "lamp"
    assert dialects.QPID.came(SENT, subscription(FANOUT, "")).routing_key == "lamp.desk"
