"""Which sender a message has, what a sender may call, and which senders' replies we trust.

One suite, over memory and over RabbitMQ, as test_transport.py.
"""

import queue
import threading
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mininova import rpc
from mininova.rpc import envelope, parking
from mininova.rpc.transports.base import TOPIC, Delivery, Message, Subscription
from mininova.rpc.transports.kombu.brokers import KNOWS, VOUCHES
from mininova.rpc.trust.callers import ORIGIN
from mininova.rpc.trust.denials import forbidden
from mininova.rpc.trust.seal import SEAL
from tests.fixtures.rpc_bench import CTXT, PATIENCE, Bench, Keeper, Lamp, LampBroken, broken, needs


class Asked(Keeper):
    """A keeper that writes down the caller of each message: ``callers``."""

    def __init__(self, **does: Any) -> None:
        super().__init__(**does)
        self.callers: queue.Queue[str | None] = queue.Queue()

    def _do(self, method: str, *args: Any) -> Any:
        self.callers.put(rpc.caller())
        return super()._do(method, *args)


class User(msgspec.Struct, frozen=True):
    """An identity, as an application has it."""

    kind: str


def only(*allowed: str | None) -> rpc.Gate:
    """Make a gate that lets these broker users call the lamps."""
    return rpc.Gate(lambda name: User("user") if name in allowed else None, about=lamp_of)


def lamp_of(arguments: Any) -> str:
    """Name the lamp that a message is about."""
    return str(arguments.get("name") or arguments["lamp"].name)


# ---- the caller


@needs(VOUCHES)
def test_a_handler_knows_its_caller(bench: Bench):
    """It is the broker user of the sender, in a call and in a cast; outside of a handler there is none."""
    keeper = Asked()
    bench.serve(keeper, user="conductor")

    bench.client(bench.peer(user="compute.host-1")).get(CTXT, "desk")
    bench.client(bench.peer(user="api")).switch(CTXT, Lamp("desk"))

    assert bench.next(keeper.callers) == "compute.host-1"
    assert bench.next(keeper.callers) == "api"
    assert rpc.caller() is None


def test_a_message_without_a_user_has_no_caller(bench: Bench):
    """Without the broker's user_id a message has no caller, even if its own words name one."""
    keeper = Asked()
    bench.serve(keeper, user="conductor")

    body = bench.payload("switch", {"lamp": {"name": "desk"}})
    bench.request(bench.peer(user="compute.host-1"), body, user_id=None, app_id="conductor", headers={ORIGIN: "api"})

    assert bench.next(keeper.callers) is None


@needs(VOUCHES)
def test_only_a_relay_can_name_the_first_sender(bench: Bench):
    """The header with the first sender counts only from a user that may relay."""
    keeper = Asked()
    bench.serve(keeper, user="conductor")

    body = bench.payload("switch", {"lamp": {"name": "desk"}})
    bench.request(bench.peer(user="compute.host-1"), body, headers={ORIGIN: "api"})

    assert bench.next(keeper.callers) == "compute.host-1"


@needs(VOUCHES)
@pytest.mark.parametrize("user_id", ["compute.host-1", None])
def test_a_cast_that_is_tried_again_has_the_same_caller(bench: Bench, user_id: str | None):
    """The caller is the same at once and after a pause; a message without a caller does not get the server as one."""
    keeper = Asked(switch=broken)
    bench.serve(keeper, user="conductor")

    bench.request(
        bench.peer(user="compute.host-1"), bench.payload("switch", {"lamp": {"name": "desk"}}), user_id=user_id
    )

    assert [bench.next(keeper.callers) for _ in range(5)] == [user_id] * 5


@needs(VOUCHES)
def test_a_parked_cast_that_is_sent_again_has_the_same_caller(bench: Bench):
    """The operator's tool, which the server lets relay, sends it again under its first sender."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    keeper = Asked(switch=broken)
    bench.serve(keeper, user="conductor", relays=["manage"], watch=rpc.Flow(events.put))
    bench.client(bench.peer(user="compute.host-1")).switch(CTXT, Lamp("desk"))
    while bench.next(events).kind != "parked":
        pass

    operator = bench.peer("manage", user="manage", relays=["conductor"])
    (one,) = parking.parked(operator, bench.topic)
    one.send_again(operator)

    assert [bench.next(keeper.callers) for _ in range(6)] == ["compute.host-1"] * 6


# ---- the gate


@needs(VOUCHES)
def test_a_denied_caller_gets_an_error(bench: Bench):
    """The error says which sender may not do what to which object; no handler runs."""
    keeper = Keeper()
    bench.serve(keeper, user="conductor", gate=only("api"))

    with pytest.raises(rpc.Forbidden, match=r"compute\.host-1 may not") as caught:
        bench.client(bench.peer(user="compute.host-1")).get(CTXT, "desk")

    assert caught.value.details == {"caller": "compute.host-1", "method": "get", "object": "desk"}
    assert caught.value.definite
    assert bench.client(bench.peer(user="api")).get(CTXT, "desk") == Lamp("desk")
    assert keeper.asked.qsize() == 1


def test_a_denied_cast_comes_back(bench: Bench):
    """A denied cast comes back as any refused cast does; it is not tried again, nor parked."""
    refused: queue.Queue[Any] = queue.Queue()
    bench.serve(Keeper(), user="conductor", gate=only("api"))
    peer = bench.peer(user="compute.host-1", on_rejected=lambda *rejection: refused.put(rejection))

    bench.client(peer).switch(CTXT, Lamp("desk"))
    _, request, error = bench.next(refused)

    assert (request.method, type(error)) == ("switch", rpc.Forbidden)


@needs(VOUCHES)
@pytest.mark.parametrize("by", ["gate", "handler"])
def test_a_denial_is_reported(bench: Bench, by: str, caplog: pytest.LogCaptureFixture):
    """The log, the flow and the server's ``on_denied`` get it, whether the gate or the handler denied."""
    told: queue.Queue[rpc.Denial] = queue.Queue()
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    if by == "gate":
        bench.serve(Keeper(), user="conductor", gate=only("api"), on_denied=told.put, watch=rpc.Flow(events.put))
    else:

        def look(name: str) -> None:
            raise forbidden(rpc.caller(), "get", name, "it is dark")

        bench.serve(Keeper(get=look), user="conductor", on_denied=told.put, watch=rpc.Flow(events.put))

    with pytest.raises(rpc.Forbidden):
        bench.client(bench.peer(user="compute.host-1")).get(CTXT, "desk")

    denial = bench.next(told)
    assert (denial.caller, denial.method, denial.object) == ("compute.host-1", "get", "desk")
    why = "its identity is not known here" if by == "gate" else "it is dark"
    assert denial.reason == f"compute.host-1 may not get desk: {why}"
    assert [bench.next(events).kind for _ in range(2)] == ["received", "denied"]
    assert "denied 'get' to 'compute.host-1' on 'desk'" in caplog.text


def test_a_check_that_fails_is_not_a_denial(bench: Bench):
    """If the check itself fails, for instance without its database, the cast is not denied but tried again."""
    keeper, trouble = Keeper(), [OSError("away")]

    def identity_of(name: str | None) -> User:
        if trouble:
            raise trouble.pop()
        return User("user")

    bench.serve(keeper, gate=rpc.Gate(identity_of))
    bench.client().switch(CTXT, Lamp("desk"))

    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))


def test_any_sender_may_ping(bench: Bench):
    """Any sender may call the methods that say that a server runs and which versions it serves."""
    bench.serve(Keeper(), gate=only())

    assert rpc.BaseAPI(bench.peer(), topic=bench.topic).ping(CTXT, "hello") == {"service": bench.topic, "arg": "hello"}
    with pytest.raises(rpc.Forbidden):
        bench.client().get(CTXT, "desk")


# ---- alone


def test_a_server_alone_reads_only_its_hosts_queue(bench: Bench):
    """It does not read the topic's queue or its fanouts, only the queue of its host."""
    keeper = Keeper()
    bench.serve(keeper, "a", alone=True)
    client = bench.client()

    client.on("a").switch(CTXT, Lamp("desk"))
    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))
    for elsewhere in client, client.on("b"):
        with pytest.raises(rpc.Undeliverable):
            elsewhere.switch(CTXT, Lamp("desk"))


@needs(KNOWS)
def test_a_server_alone_parks_in_a_queue_of_its_own(bench: Bench):
    """They are in ``<topic>.<host>.dead``, out of which nothing can be sent to another host."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    keeper = Keeper(switch=broken)
    bench.serve(keeper, "a", alone=True, watch=rpc.Flow(events.put))
    bench.client().on("a").switch(CTXT, Lamp("desk"))
    while bench.next(events).kind != "parked":
        pass

    with pytest.raises(rpc.Undeliverable):
        parking.parked(bench.peer(), bench.topic)
    (one,) = parking.parked(peer := bench.peer(), f"{bench.topic}.a")
    assert one.key == f"{bench.topic}.a"
    keeper.does["switch"] = lambda *args: None
    one.send_again(peer)
    assert [bench.next(keeper.asked)[0] for _ in range(6)] == ["switch"] * 6


def test_a_cast_parked_for_one_host_is_not_sent_to_another(bench: Bench):
    """A process that can write into a host's queue of parked casts cannot have the operator send
    them to another host.
    """
    place = f"{bench.topic}.a"
    peer = bench.peer()
    message = Message(
        body=bench.payload("switch", {}), exchange=bench.exchange, routing_key=f"{bench.topic}.b", message_id="1",
        user_id=peer.transport.user_id,
    )  # fmt: skip
    parking.park(peer, place, replace(message, headers=parking.notes(message, LampBroken("no"))))

    (one,) = parking.parked(peer, place)
    assert one.key is None


# ---- replies


def believe(asked: str, replied: str | None) -> bool:
    """Trust the conductor's replies for all topics, and each compute's for its own host."""
    return replied == "conductor" or (replied is not None and asked.partition(".")[2] == replied.partition(".")[2])


@needs(VOUCHES)
def test_a_reply_of_another_user_is_ignored(bench: Bench):
    """A sender that guesses the id of a call is denied; the caller waits for the right reply and takes it."""
    gate, ids, denied = threading.Event(), queue.Queue[tuple[str, str]](), threading.Event()
    client = bench.peer(answers=believe, watch=rpc.Flow(lambda event: denied.set() if event.kind == "denied" else None))
    forger, server = bench.peer("forger", user="compute.host-2"), bench.peer("by hand", user="conductor")

    def take(delivery: Delivery) -> None:
        msg_id, reply_to = envelope.unpack(delivery.message.body)["_msg_id"], delivery.message.reply_to
        ids.put((msg_id, reply_to or ""))
        delivery.ack()
        for peer, name in (forger, "forged"), (server, "desk"):
            reply = Message(
                body=envelope.pack({"_msg_id": msg_id, "result": {"name": name}}), exchange=peer.reply_exchange,
                routing_key=reply_to or "", message_id=msg_id, user_id=peer.transport.user_id,
            )  # fmt: skip
            peer.transport.publish(reply)
            if name == "forged" and bench.spawn.__name__ != "at_once":
                denied.wait(PATIENCE)

    server.transport.subscribe(
        Subscription(
            queue=bench.topic, exchange=bench.exchange, kind=TOPIC, routing_key=bench.topic,
            on_delivery=lambda delivery: bench.spawn(take, delivery),
        )
    )  # fmt: skip
    gate.set()

    assert bench.client(client).get(CTXT, "desk") == Lamp("desk")
    assert denied.is_set()


@pytest.mark.parametrize("user", ["compute.host-2", None])
def test_a_call_with_only_forged_replies_times_out(bench: Bench, user: str | None):
    """A reply from another user, or without a user, is ignored: the caller gets a timeout."""
    client = bench.peer(answers=believe)
    forger = bench.peer("forger", user="compute.host-2")

    def take(delivery: Delivery) -> None:
        delivery.ack()
        msg_id = envelope.unpack(delivery.message.body)["_msg_id"]
        forger.transport.publish(
            Message(
                body=envelope.pack({"_msg_id": msg_id, "result": {"name": "forged"}}),
                exchange=forger.reply_exchange, routing_key=delivery.message.reply_to or "", message_id=msg_id,
                user_id=user,
            )
        )  # fmt: skip

    forger.transport.subscribe(
        Subscription(
            queue=bench.topic, exchange=bench.exchange, kind=TOPIC, routing_key=bench.topic,
            on_delivery=lambda delivery: bench.spawn(take, delivery),
        )
    )  # fmt: skip

    with pytest.raises(rpc.MessagingTimeout):
        bench.client(client).within(0.3).toggle(CTXT, "desk")


# ---- casts that come back


def rejection(peer: rpc.Peer, body: bytes, message_id: str, headers: dict[str, str], to: rpc.Peer) -> None:
    """Send a refusal by hand."""
    failure = rpc.Codec().failure_of(rpc.InvalidArguments("no"))
    reply = envelope.Reply(msg_id=message_id, failure=failure, rejected=body)
    peer.transport.publish(
        Message(
            body=envelope.pack_reply(reply), exchange=peer.reply_exchange, routing_key=to.reply_queue,
            message_id=message_id, user_id=peer.transport.user_id, headers=headers,
        )
    )  # fmt: skip


@pytest.fixture
def rejected(bench: Bench) -> "queue.Queue[str]":
    """Collect the lamps of the casts that came back."""
    return queue.Queue()


def sent(bench: Bench, rejected: "queue.Queue[str]") -> tuple[rpc.Peer, Message]:
    """Send a cast that no handler gets; give its sender, and the message as host-1 received it."""
    client = bench.peer(
        answers=believe, on_rejected=lambda ctxt, request, why: rejected.put(request.args["lamp"]["name"])
    )
    arrived = bench.listen(f"{bench.topic}.host-1")
    bench.client(client).on("host-1").switch(CTXT, Lamp("desk"))
    return client, bench.next(arrived)


@needs(VOUCHES)
def test_a_cast_comes_back_only_with_its_seal(bench: Bench, rejected: "queue.Queue[str]"):
    """A cast comes back only as it was sent, and only from the host that it was sent to: forgeries change nothing."""
    client, cast = sent(bench, rejected)
    asked, other = (bench.peer("compute", user=f"compute.host-{number}") for number in (1, 2))
    seal = {SEAL: cast.headers[SEAL]}
    forged = cast.body.replace(b"desk", b"hall")

    rejection(asked, forged, cast.message_id, seal, client)  # another cast with this one's seal
    rejection(asked, forged, cast.message_id, {}, client)
    rejection(asked, forged, "another", {SEAL: "0" * 64 + f" {bench.topic}.host-1"}, client)
    rejection(asked, cast.body, cast.message_id, {SEAL: seal[SEAL].replace("host-1", "host-2")}, client)
    rejection(other, cast.body, cast.message_id, seal, client)  # another compute that saw the message
    rejection(asked, cast.body, cast.message_id, seal, client)

    assert bench.next(rejected) == "desk"
    bench.deliver()
    assert rejected.empty()


def test_a_caller_cannot_direct_a_reply_to_another(bench: Bench):
    """The server sends replies only to queues that belong to the caller."""
    server = bench.peer("conductor", user="conductor", answerable=lambda caller, key: key == mine.reply_queue)
    bench.serve(Keeper(), peer=server)
    mine, other = bench.peer(user="compute.host-1"), bench.listen("reply_of_another", f"{bench.exchange}.reply")

    bench.request(mine, bench.payload("explode", {}), reply_to="reply_of_another")
    bench.request(mine, bench.payload("explode", {}), reply_to=None)
    assert bench.client(mine).get(CTXT, "desk") == Lamp("desk")
    bench.deliver()
    assert other.empty()
