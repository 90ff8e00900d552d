"""How publishers learn that the broker took a message, and which of several it refused; the test plays the broker."""

import queue
import struct
import threading

import pytest
from amqp.serialization import dumps

from mininova import rpc
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.confirming import Confirming, Unconfirmed
from mininova.rpc.transports.amqp.frames import CONFIRMING, Content
from mininova.rpc.transports.base import Message

PATIENCE = 20.0
REFUSED = (403, "ACCESS_REFUSED - access to topic 'bad' in exchange 'E' refused for user 'me'")
AGAIN = b"again"


class Broker:
    """Is the connection, and the broker on its other end."""

    def __init__(self):
        self.on, self.at_end, self.lost, self.last_word = {}, [], False, (0, "")
        self.heard = queue.Queue()
        self.confirming = Confirming(self)
        self.outcomes = queue.Queue()

    # ---- as a connection

    def write(self, data):
        if self.lost:
            raise rpc.ConnectionLost("there is no connection to the broker")
        self.heard.put(AGAIN if data[7:11] == frames.CHANNEL_CLOSE_OK else data)

    def excuse(self):
        return ""

    def closed(self, payload, content):
        raise OSError(frames.arguments("Bs", payload)[1])

    # ---- as a broker

    def hears(self):
        return self.heard.get(timeout=PATIENCE)

    def confirms(self, tag, multiple=False):
        self._says(frames.ACK, struct.pack(">Q?", tag, multiple))

    def refuses(self, code=REFUSED[0], text=REFUSED[1]):
        self._says(frames.CHANNEL_CLOSE, dumps("BsBB", (code, text, 60, 40)))

    def goes_away(self):
        self.lost = True
        for told in self.at_end:
            told()

    def _says(self, method, arguments):
        self.on[CONFIRMING, method](method + arguments, Content(b""))

    # ---- as the publishers

    def publish(self, key, timeout=PATIENCE):
        """Publish in a thread, and keep the outcome."""

        def publish():
            message = Message(body=b"", exchange="E", routing_key=key, message_id=key)
            error = self.tries(Unconfirmed(message, key.encode()), timeout)
            self.outcomes.put((key, "confirmed" if error is None else type(error).__name__))

        threading.Thread(target=publish, daemon=True).start()

    def tries(self, unconfirmed, timeout):
        """Publish, and give the error."""
        try:
            self.confirming.publish(unconfirmed)
        except rpc.ConnectionLost as error:
            return error
        return self.confirming.outcome(unconfirmed, timeout)

    def outcome(self):
        return self.outcomes.get(timeout=PATIENCE)


@pytest.fixture
def broker():
    return Broker()


def published(broker, *keys):
    """Publish several messages, and have the broker read them in this order."""
    for key in keys:
        broker.publish(key)
        assert broker.hears() == key.encode()


def test_several_are_confirmed_at_once(broker):
    """The broker confirms one message, or all up to one."""
    published(broker, "a", "b", "c", "d")

    broker.confirms(2)
    assert broker.outcome() == ("b", "confirmed")
    broker.confirms(3, multiple=True)
    assert {broker.outcome(), broker.outcome()} == {("a", "confirmed"), ("c", "confirmed")}


def test_the_only_message_is_the_refused_one(broker):
    """The broker closes the channel for it; we open it again, and the next message is the first on it."""
    published(broker, "bad")

    broker.refuses()

    assert broker.outcome() == ("bad", "MessageRefused")
    assert broker.hears() == AGAIN
    published(broker, "good")
    broker.confirms(1)
    assert broker.outcome() == ("good", "confirmed")


def test_of_several_each_is_tried_alone(broker):
    """The message that closes the channel again is the refused one; the others arrive, and so does one published
    meanwhile.
    """
    published(broker, "a", "bad", "c")

    broker.refuses()
    assert [broker.hears(), broker.hears()] == [AGAIN, b"a"]
    broker.publish("new")
    broker.confirms(1)
    assert (broker.outcome(), broker.hears()) == (("a", "confirmed"), b"bad")
    broker.refuses()
    assert broker.outcome() == ("bad", "MessageRefused")
    assert [broker.hears(), broker.hears()] == [AGAIN, b"c"]
    broker.confirms(1)
    assert (broker.outcome(), broker.hears()) == (("c", "confirmed"), b"new")
    broker.confirms(2)

    assert broker.outcome() == ("new", "confirmed")
    assert broker.heard.empty()


def test_a_message_is_not_blamed_for_one_whose_sender_gave_up(broker):
    """A message whose sender has given up may have been the refused one; it is not published again."""
    broker.publish("bad", timeout=0)
    assert (broker.outcome(), broker.hears()) == (("bad", "MessagingTimeout"), b"bad")
    published(broker, "good")

    broker.refuses()

    assert [broker.hears(), broker.hears()] == [AGAIN, b"good"]
    broker.confirms(1)
    assert broker.outcome() == ("good", "confirmed")


def test_the_end_of_a_connection_fails_all_that_wait(broker):
    """The message that is tried, those that wait for their try, those held back and those that come later all fail at
    once.
    """
    published(broker, "a", "b")
    broker.refuses()
    assert [broker.hears(), broker.hears()] == [AGAIN, b"a"]
    broker.publish("held")

    broker.goes_away()
    broker.publish("after")

    assert {broker.outcome() for _ in range(4)} == {(key, "ConnectionLost") for key in ("a", "b", "held", "after")}


@pytest.mark.parametrize(
    ("keys", "outcomes"),
    [
        (["bad"], {("bad", "MessageRefused")}),
        (["bad", "good"], {("bad", "ConnectionLost"), ("good", "ConnectionLost")}),  # it does not say which
    ],
)
def test_a_refusal_that_ends_the_connection(broker, keys, outcomes):
    """Qpid says over one message that it denies it, and goes away: the only one that waits is the one."""
    published(broker, *keys)
    broker.last_word = 403, "Permission PERFORM_ACTION(publish) is denied"
    broker.goes_away()

    assert {broker.outcome() for _ in keys} == outcomes


def test_a_confirm_counts_although_the_connection_is_lost_next(broker):
    """A publisher learns that its message was confirmed, although the connection is lost before the next is tried."""
    published(broker, "a", "b")
    broker.refuses()
    assert [broker.hears(), broker.hears()] == [AGAIN, b"a"]

    broker.lost = True
    with pytest.raises(rpc.ConnectionLost):
        broker.confirms(1)

    assert broker.outcome() == ("a", "confirmed")
    broker.goes_away()
    assert broker.outcome() == ("b", "ConnectionLost")


def test_an_exchange_that_is_gone_ends_the_connection(broker):
    """The next connection declares the exchange again, and what was published to it is sent once more."""
    published(broker, "a")

    with pytest.raises(OSError, match="no exchange"):
        broker.refuses(404, "NOT_FOUND - no exchange 'E' in vhost '/'")


def test_the_error_names_the_place_and_what_it_needs(broker):
    """The error has the address, the broker's words and the missing permission; a message too large needs none."""
    message = Message(body=b"", exchange="E", routing_key="bad", message_id="1")

    def refuse(*close):
        threading.Thread(target=lambda: (broker.hears(), broker.refuses(*close)), daemon=True).start()
        error = broker.tries(Unconfirmed(message), PATIENCE)
        assert isinstance(error, rpc.MessageRefused)
        assert broker.hears() == AGAIN
        return error

    refused, too_large = refuse(*REFUSED), refuse(406, "PRECONDITION_FAILED - message size 9 larger than max 8")

    assert refused.details == {"target": "bad", "exchange": "E", "code": 403}
    assert f"a message to bad on the exchange 'E': {REFUSED[1]}; it needs the permission" in str(refused)
    assert str(too_large).endswith("larger than max 8")


def unconfirmed(key):
    """Make a message to publish."""
    return Unconfirmed(Message(body=b"", exchange="E", routing_key=key, message_id=key), key.encode())


def test_a_message_held_back_was_not_sent(broker):
    """Messages wait while a refused one is looked for; one that still waits at its deadline was certainly not sent."""
    sent, held = unconfirmed("a"), unconfirmed("c")
    broker.confirming.publish(sent)
    assert broker.hears() == b"a"
    published(broker, "b")
    broker.refuses()
    broker.confirming.publish(held)

    assert not broker.confirming.outcome(sent, 0).definite
    assert broker.confirming.outcome(held, 0).definite


def test_a_message_held_back_at_the_end_was_not_sent(broker):
    """A message that was written may have arrived; one held back has not."""
    sent, held = unconfirmed("a"), unconfirmed("c")
    broker.confirming.publish(sent)
    assert broker.hears() == b"a"
    published(broker, "b")
    broker.refuses()
    broker.confirming.publish(held)

    broker.goes_away()

    assert not broker.confirming.outcome(sent, PATIENCE).definite
    assert broker.confirming.outcome(held, PATIENCE).definite
