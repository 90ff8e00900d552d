"""A connection speaks the dialect of the broker that greets it."""

import pytest
from msgspec.structs import replace

from mininova.rpc.transports.amqp import dialects
from mininova.rpc.transports.amqp.places import _Close
from mininova.rpc.transports.base import FANOUT, TOPIC, Message, Subscription

SENT = Message(body=b"{}", exchange="E", routing_key="lamp.desk", message_id="1", expiration=7.0)


def subscription(kind: str, key: str) -> Subscription:
    """Read a queue."""
    return Subscription(queue=key, exchange="E", kind=kind, routing_key=key, on_delivery=print)


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


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("received none but current is the value 'quorum' of type 'longstr'", "quorum"),  # 3.10
        ("received 'classic' but current is 'quorum'", "quorum"),  # 4.0
        ("received the value 'quorum' of type 'longstr' but current is none", "classic"),
        ("received 'quorum' but current is 'classic'", "classic"),
    ],
)
def test_a_queue_of_the_other_kind_is_named(said: str, kind: str):
    """Each release of RabbitMQ says it in words of its own."""
    refusal = _Close(406, f"PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q': {said}", 50, 10)
    assert f"exists and is a {kind} queue" in str(refusal.named("queue q"))


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
    assert dialects.QPID.came(sent, subscription(TOPIC, "lamp.desk")).expiration == 5.0
    monkeypatch.setattr("time.time", lambda: 2000.0)  # by another machine's clock
    assert dialects.QPID.came(sent, subscription(TOPIC, "lamp.desk")).expiration is None


def test_what_waited_on_qpid_is_read_under_the_key_of_its_reader():
    """It keeps the key by which it went into the pause, and no reader is bound with that."""
    waited = replace(SENT, routing_key="lamp.pause.5")
    assert dialects.QPID.came(waited, subscription(TOPIC, "lamp")).routing_key == "lamp"
    assert dialects.QPID.came(SENT, subscription(FANOUT, "")).routing_key == "lamp.desk"


def test_what_comes_by_another_binding_on_qpid_is_not_let_in():
    """Any user can bind any queue there: a reader takes what has its key, or was sent to its fanout."""
    assert dialects.QPID.came(SENT, subscription(TOPIC, "lamp")) is None
    assert dialects.QPID.came(replace(SENT, exchange="F"), subscription(FANOUT, "")) is None
