"""What a peer does when its connection fails. The rest is in tests/wire/test_transport*.py."""

import pytest

from mininova import rpc
from mininova.rpc.transports.base import Message, Transport
from tests.fixtures.rpc_bench import Keeper, Lamp, LampAPI, MemoryBench


class Shaky(Transport):
    """A transport whose connection breaks a number of times before it confirms."""

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
    """A second copy of a cast is harmless, a lost one is not."""
    transport = Shaky(2)

    LampAPI(rpc.Peer(transport, name="client")).switch({}, Lamp("desk"))

    assert len(transport.sent) == 3
    assert len({message.message_id for message in transport.sent}) == 1


def test_a_cast_that_is_never_confirmed_ends_with_its_deadline():
    """The sender gives up at its deadline, however often the connection breaks."""
    transport = Shaky(float("inf"))

    with pytest.raises(rpc.MessagingTimeout, match="did not confirm"):
        LampAPI(rpc.Peer(transport, name="client")).within(0.01).switch({}, Lamp("desk"))


def test_a_message_sent_again_names_its_first_sender():
    """A message sent again has our user_id, as the broker demands, and its first sender in a header; one without a
    user_id gains none.
    """
    transport = Shaky(0)
    peer = rpc.Peer(transport, name="server")
    for user_id in "me", "another", None:
        peer.resend(Message(body=b"", exchange="", routing_key="", message_id="", user_id=user_id), deliveries=1)

    assert [(message.user_id, dict(message.headers)) for message in transport.sent] == [
        ("me", {}),
        ("me", {"x-mininova-origin": "another"}),
        (None, {}),
    ]


def test_a_call_is_not_persistent_and_a_cast_is():
    """A call is worth nothing after its deadline; a cast is worth a disk."""
    messages = []
    transport = Shaky(0)
    transport.publish = lambda message, **how: messages.append(message)
    client = LampAPI(rpc.Peer(transport, name="client"))

    client.switch({}, Lamp("desk"))
    with pytest.raises(rpc.MessagingTimeout):
        client.within(0.01).toggle({}, "desk")
    client.dim({})

    cast, call, fanout = transport.sent[0], *messages
    assert (cast.persistent, cast.expiration) == (True, None)
    assert (call.persistent, call.expiration) == (False, 0.01)
    assert (fanout.persistent, fanout.expiration) == (False, None)


class Deaf(Shaky):
    """A transport that publishes, and gets no reply."""

    def __init__(self):
        super().__init__(0)
        self.waited: list[float] = []

    def publish(self, message, **how):
        """See Transport."""
        self.sent.append(message)

    def wait(self, waiter, timeout):
        """See Transport: no reply comes, and no time passes."""
        self.waited.append(timeout)
        return waiter.done


def test_an_idempotent_call_is_sent_again():
    """It goes out three times in all, each with the time that is left."""
    transport = Deaf()

    with pytest.raises(rpc.MessagingTimeout):
        LampAPI(rpc.Peer(transport, name="client")).within(3000).get({}, "desk")

    assert [round(seconds, -2) for seconds in transport.waited] == [1000, 1500, 3000], "none has waited"
    assert len({message.message_id for message in transport.sent}) == 1
    assert [round(message.expiration, -2) for message in transport.sent] == [3000, 3000, 3000]


def test_a_call_that_is_not_idempotent_is_sent_once():
    """Its caller gets a timeout and decides what to do: the library must not repeat a call that may have been done."""
    transport = Deaf()

    with pytest.raises(rpc.MessagingTimeout):
        LampAPI(rpc.Peer(transport, name="client")).within(30).toggle({}, "desk")

    assert len(transport.sent) == 1


@pytest.mark.parametrize(("method", "times"), [("get", 2), ("toggle", 1)])
def test_a_call_that_the_broker_may_have_lost_is_sent_again(method, times):
    """After a reconnect, each idempotent call goes out once more, and no other does."""
    transport = Deaf()
    peer = rpc.Peer(transport, name="client")

    def restored(waiter, timeout):
        transport.on_restored()
        return True

    transport.wait = restored
    with pytest.raises(rpc.RemoteError):
        getattr(LampAPI(peer), method)({}, "desk")  # no reply came, so the result is not as declared

    assert len(transport.sent) == times


def test_a_connection_that_breaks_under_a_call_ends_only_what_must_not_be_repeated():
    """An idempotent call waits for the broker; the caller of another learns that it may have been done."""
    transport = Deaf()

    def breaks(message, **how):
        transport.sent.append(message)
        raise rpc.ConnectionLost("it broke")

    transport.publish = breaks
    client = LampAPI(rpc.Peer(transport, name="client"))

    with pytest.raises(rpc.ConnectionLost):
        client.toggle({}, "desk")
    with pytest.raises(rpc.MessagingTimeout):
        client.get({}, "desk")


# ---- whether it was done


class Away(Deaf):
    """A transport whose broker is away: it sends nothing, but a test chooses the outcome of the first messages.

    :param befalls: None for a message that is sent; else whether the connection broke before it was written
    """

    def __init__(self, *befalls):
        super().__init__()
        self.befalls = list(befalls)

    def publish(self, message, **how):
        """See Transport."""
        if not self.befalls:
            raise rpc.MessagingTimeout("the broker is away", definite=True)
        if (definite := self.befalls.pop(0)) is not None:
            raise rpc.ConnectionLost("it broke", definite=definite)

    def publish_confirmed(self, message, timeout):
        """See Transport."""
        self.publish(message)


@pytest.mark.parametrize(
    ("befalls", "definite"),
    [((), True), ((True,), True), ((True, True), True), ((False,), False), ((True, False), False)],
)
def test_a_cast_says_whether_it_was_sent(befalls, definite):
    """The cast was certainly not done if each try failed before the message was written; else it may be."""
    with pytest.raises(rpc.MessagingTimeout) as caught:
        LampAPI(rpc.Peer(Away(*befalls), name="client")).switch({}, Lamp("desk"))
    assert caught.value.definite is definite


@pytest.mark.parametrize(
    ("method", "befalls", "definite"),
    [
        ("toggle", (), True),
        ("toggle", (True,), True),
        ("toggle", (False,), False),
        ("toggle", (None,), False),
        ("get", (), True),
        ("get", (True, True, True), True),
        ("get", (True, True, None), False),
        ("get", (False, True, True), False),
        ("get", (None,), False),  # the second copy cannot be sent, and a server may be handling the first
    ],
)
def test_a_call_says_whether_it_was_sent(method, befalls, definite):
    """A call was certainly not done if no copy of it can have reached the broker."""
    with pytest.raises((rpc.MessagingTimeout, rpc.ConnectionLost)) as caught:
        getattr(LampAPI(rpc.Peer(Away(*befalls), name="client")), method)({}, "desk")
    assert caught.value.definite is definite


def test_a_fanout_that_was_not_sent_says_so():
    """No server has handled it."""
    with pytest.raises(rpc.MessagingTimeout) as caught:
        LampAPI(rpc.Peer(Away(), name="client")).dim({})
    assert caught.value.definite


@pytest.mark.parametrize(("copies", "definite"), [(1, True), (2, False)])
def test_a_refusal_of_one_copy_says_nothing_of_the_other(copies, definite):
    """A server that refuses one copy does not know about the other, which may have been served elsewhere."""
    transport = Deaf()
    peer = rpc.Peer(transport, name="client")

    def wait(waiter, timeout):
        if len(transport.sent) == copies:
            transport.on_return(transport.sent[0].message_id)
        return waiter.done

    transport.wait = wait
    with pytest.raises(rpc.Undeliverable) as caught:
        LampAPI(peer).get({}, "desk")
    assert caught.value.definite is definite


def test_a_refusal_that_a_handler_met_is_not_definite_for_its_caller():
    """A handler's own call was refused: its caller must not take that for its call not being done."""
    bench = MemoryBench()

    def get(name):
        raise rpc.UnsupportedVersion("of another service")

    bench.serve(Keeper(get=get))
    with pytest.raises(rpc.UnsupportedVersion) as caught:
        bench.client().get({}, "desk")
    assert not caught.value.definite
