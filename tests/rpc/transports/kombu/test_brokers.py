"""URLs of transports by kombu: what is read from them, and what is refused."""

import re

import pytest

from mininova.rpc.transports.kombu import KombuTransport
from mininova.rpc.transports.kombu.brokers import BROKERS, SCHEMES, VOUCHES, place


def test_the_rest_of_a_url_is_kombus_own():
    """Only what begins it is ours."""
    assert place("kombu+redis://:secret@127.0.0.1:6379/2").url == "redis://:secret@127.0.0.1:6379/2"


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("kombu+amqp://compute.host-1:secret@h:5672/", "compute.host-1"),
        ("kombu+amqp://a%40b:secret@h/", "a@b"),
        ("kombu+amqp://h/", "guest"),
        ("kombu+redis://me:secret@h/0", None),
        ("kombu+memory://", None),
    ],
)
def test_a_user_is_one_that_the_broker_vouches_for(url: str, user: str | None):
    """RabbitMQ says truly who sent a message, so there we have a name; elsewhere any sender could have it."""
    assert KombuTransport(url).user_id == user


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kombu+sqs://hush@h/", "begins with none of kombu+amqp://"),
        ("kombu+amqp://u:hush@h1,u:hush@h2/", "has several addresses"),
        ("kombu+amqp://u:hush@h:port/", "has a port that is no number"),
        ("kombu+amqp://u:hush@/", "names no host"),
        ("kombu+redis:///0", "names no host"),
        ("kombu+filesystem://", "names no folder"),
    ],
)
def test_what_is_no_url_is_refused(url: str, said: str):
    """The sentence says what is wrong, and has no password."""
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        KombuTransport(url)
    assert "hush" not in str(refused.value)


def test_each_scheme_is_a_broker():
    """What a URL can begin with is the table, and RabbitMQ alone vouches for senders."""
    assert [name for name in SCHEMES if VOUCHES not in BROKERS[name.removeprefix("kombu+")].lacks] == ["kombu+amqp"]
