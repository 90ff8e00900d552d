"""What a peer does when its transport is not at its best.  The rest is in tests/contracts/test_transport*.py."""

import pytest
from rpc_bench import Lamp, LampAPI

from mininova import rpc
from mininova.rpc.transport import Message, Transport


class Shaky(Transport):
    """A transport whose connection breaks before it confirms, so many times."""

    user_id = "me"

    def __init__(self, times):
        self.times, self.sent = times, []

    def publish_confirmed(self, message, timeout):
        """See Transport."""
        self.sent.append(message)
        if len(self.sent) <= self.times:
            raise rpc.ConnectionLost("the broker went away")

    def start(self):
        """See Transport."""

    stop = subscribe = unsubscribe = declare = declare_pause = waiting = publish = start


def test_a_cast_is_sent_until_it_is_confirmed():
    """A second copy is harmless, a lost one is not."""
    transport = Shaky(2)

    LampAPI(rpc.Peer(transport, name="client")).switch({}, Lamp("desk"))

    assert len(transport.sent) == 3
    assert len({message.message_id for message in transport.sent}) == 1


def test_a_cast_that_is_never_confirmed_ends_with_its_deadline():
    """However often the connection breaks, the sender does not try for ever."""
    transport = Shaky(float("inf"))

    with pytest.raises(rpc.MessagingTimeout, match="did not confirm"):
        LampAPI(rpc.Peer(transport, name="client")).within(0.01).switch({}, Lamp("desk"))


def test_what_is_sent_again_is_not_sent_in_anothers_name():
    """The broker would refuse it, and end the connection."""
    transport = Shaky(0)
    peer = rpc.Peer(transport, name="server")
    for user_id in "me", "another", None:
        peer.resend(Message(body=b"", exchange="", routing_key="", message_id="", user_id=user_id), deliveries=1)

    assert [(message.user_id, message.deliveries) for message in transport.sent] == [("me", 1), (None, 1), (None, 1)]


def test_a_call_is_not_persistent_and_a_cast_is():
    """A call is worth nothing after its deadline; a cast is worth a disk."""
    messages = []
    transport = Shaky(0)
    transport.publish = lambda message, **how: messages.append(message)
    client = LampAPI(rpc.Peer(transport, name="client"))

    client.switch({}, Lamp("desk"))
    with pytest.raises(rpc.MessagingTimeout):
        client.within(0.01).get({}, "desk")
    client.dim({})

    cast, call, fanout = transport.sent[0], *messages
    assert (cast.persistent, cast.expiration) == (True, None)
    assert (call.persistent, call.expiration) == (False, 0.01)
    assert (fanout.persistent, fanout.expiration) == (False, None)
