"""What a receiver refuses, and how its sender learns of it: versions, methods, arguments, and malformed messages."""

import queue
from contextvars import ContextVar
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mininova import rpc
from mininova.rpc import envelope
from mininova.rpc.transports.base import TOPIC, Delivery, Message, Subscription
from mininova.rpc.transports.kombu.brokers import VOUCHES
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp, LampBroken, broken, needs

# ---- length


def test_a_message_that_is_too_long_is_refused(bench: Bench):
    """Brokers take no message over 1 MiB: its sender gets an error before it sends, and so does who asks for one."""
    keeper = Keeper(get=lambda name: Lamp("x" * envelope.MAX_BODY_BYTES if name == "long" else name))
    bench.serve(keeper)
    client = bench.client()

    with pytest.raises(rpc.MessageTooLong, match=f"{envelope.MAX_BODY_BYTES} are the most"):
        client.get(CTXT, "x" * envelope.MAX_BODY_BYTES)
    with pytest.raises(rpc.MessageTooLong, match=f"{envelope.MAX_BODY_BYTES} are the most"):
        client.get(CTXT, "long")
    assert client.get(CTXT, "desk") == Lamp("desk")

    assert [bench.next(keeper.asked) for _ in range(2)] == [("get", "long"), ("get", "desk")]


# ---- versions


def older(api: type[rpc.Interface]) -> type[rpc.Interface]:
    """Give the interface as an earlier release had it."""
    return type("LampAPI", (api,), {"version": "1.1"})


def test_a_call_of_a_newer_version_is_refused(bench: Bench):
    """The error says which versions the service serves, and which one the caller asked for."""
    bench.serve(Keeper(), api=older(bench.api))
    peer = bench.peer()
    reply = refused_call(bench, peer, bench.payload("get", {"name": "desk"}, version="1.2"))

    assert isinstance(reply, rpc.UnsupportedVersion)
    assert reply.details == {
        "service": bench.topic,
        "interface": bench.topic,
        "asked": "1.2",
        "offered": "LampAPI 1.1",
    }


def refused_call(bench: Bench, peer: rpc.Peer, body: bytes) -> Exception:
    """Send a call by hand, and give the error that is its answer."""
    refused: queue.Queue[Exception] = queue.Queue()
    peer.on_rejected = lambda ctxt, request, error: refused.put(error)
    bench.request(peer, body, persistent=False)
    error: Exception = bench.next(refused)
    return error


def test_a_cast_of_a_newer_version_comes_back(bench: Bench):
    """Its sender gets the cast back with its context and the reason, and need not have kept it."""
    bench.serve(Keeper(), api=older(bench.api))
    refused: queue.Queue[Any] = queue.Queue()
    client = bench.client(bench.peer(on_rejected=lambda *rejection: refused.put(rejection)))

    client.switch(CTXT, Lamp("desk"), colour="red")
    ctxt, request, error = bench.next(refused)

    assert ctxt == CTXT
    assert (request.method, request.version) == ("switch", "1.2")
    assert request.args == {"lamp": {"name": "desk", "watts": 40}, "colour": "red"}
    assert isinstance(error, rpc.UnsupportedVersion)
    assert "it speaks LampAPI 1.1" in str(error)


def test_the_context_of_a_refused_cast_does_not_stay_with_the_reader(bench: Bench):
    """What the codec sets for one rejection, such as a request id for the log, does not last until the next."""
    noted = ContextVar("noted", default="nothing")
    before: queue.Queue[str] = queue.Queue()

    def note(values: dict[str, Any]) -> dict[str, Any]:
        before.put(noted.get())
        noted.set(values["request_id"])
        return values

    bench.serve(Keeper(), api=older(bench.api))
    peer = bench.peer(codec=rpc.Codec(context_from_wire=note), on_rejected=lambda *rejection: None)
    for number in (1, 2):
        bench.client(peer).switch({"request_id": f"req-{number}"}, Lamp("desk"), colour="red")

    assert [bench.next(before), bench.next(before)] == ["nothing", "nothing"]


def test_another_major_is_refused(bench: Bench):
    """A message of an older major is not understood either."""
    api = type("LampAPI", (bench.api,), {"version": "2.0"})
    bench.serve(Keeper(), api=api)

    with pytest.raises(rpc.UnsupportedVersion, match=r"cannot run get 1\.0"):
        bench.client().get(CTXT, "desk")


def test_a_missing_version_means_1_0(bench: Bench):
    """A message that names no version is run."""
    keeper = Keeper()
    bench.serve(keeper)

    bench.request(bench.peer(), bench.payload("switch", {"lamp": {"name": "desk"}}))

    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))


def test_an_envelope_of_another_version_is_refused(bench: Bench):
    """The error says which envelope the server understands."""
    bench.serve(Keeper())
    peer = bench.peer()
    publish = peer.transport.publish

    def publish_as_3_0(message: Message, **how: Any) -> None:
        publish(replace(message, body=message.body.replace(b'"oslo.version":"2.0"', b'"oslo.version":"3.0"')), **how)

    peer.transport.publish = publish_as_3_0  # type: ignore[method-assign]

    with pytest.raises(rpc.UnsupportedVersion, match=r"envelope version 3\.0 is not understood here: 2\.0 is"):
        bench.client(peer).get(CTXT, "desk")


# ---- methods and arguments


@pytest.mark.parametrize("method", ["explode", "_private", "__init__", "asked"])
def test_only_declared_methods_can_be_called(bench: Bench, method: str):
    """Unknown methods, private methods and attributes of the manager cannot be called."""
    bench.serve(Keeper())

    error = refused_call(bench, bench.peer(), bench.payload(method, {}))

    assert isinstance(error, rpc.NoSuchMethod)
    assert method in str(error)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ({}, "`lamp`"),
        ({"lamp": 5}, "$.lamp"),
        ({"lamp": {"name": "desk", "watts": "many"}}, "$.lamp.watts"),
        ({"lamp": {"name": "desk"}, "size": 3}, "`size`"),
        ({"lamp": {"name": "desk"}, "ctxt": {}}, "`ctxt`"),
        ({"lamp": {"name": "desk"}, "self": {}}, "`self`"),
    ],
)
def test_wrong_arguments_are_refused_by_name(bench: Bench, args: Any, named: str):
    """The error names an argument that is missing, unknown or of the wrong type, and the method does not run."""
    keeper = Keeper()
    bench.serve(keeper)

    error = refused_call(bench, bench.peer(), bench.payload("switch", args))

    assert isinstance(error, rpc.InvalidArguments)
    assert named in str(error)
    assert keeper.asked.empty()


HOSTILE = {
    "nothing": b"",
    "no JSON": b"\xff\xfe\x00 no",
    "a number": b"7",
    "a number of many digits": b"1" * 5000,
    "a list": b"[]",
    "half an object": b'{"oslo.message": "{}',
    "an envelope around a number": b'{"oslo.version": "2.0", "oslo.message": 5}',
    "a version of many digits": b'{"method": "get", "version": "' + b"9" * 5000 + b'.0"}',
    "a version of the wrong type": b'{"method": "get", "version": [1]}',
    "a method of the wrong type": b'{"method": {}}',
    "arguments of the wrong type": b'{"method": "switch", "args": ["desk"]}',
    "a context of the wrong type": b'{"method": "switch", "args": {}, "_context_request_id": {"a": []}}',
    "deep nesting": b'{"method": "switch", "args": {"lamp": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "nesting as deep as is read": b'{"method": "switch", "args": {"lamp": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "nesting as deep as is read, half": b'{"method": "switch", "args": {"lamp": ' + b"[" * 450 + b"]" * 450 + b"}}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_message_is_refused_once(bench: Bench, body: bytes):
    """Any malformed message is refused and dropped, and the next message is handled."""
    keeper, events, kinds = Keeper(), queue.Queue[rpc.MessageEvent](), list[str]()
    bench.serve(keeper, watch=rpc.Flow(events.put))
    peer = bench.peer()

    bench.request(peer, body)
    bench.client(peer).switch(CTXT, Lamp("marker"))

    assert bench.next(keeper.asked) == ("switch", (Lamp("marker"), "white"))
    while not {"rejected", "replied"} <= set(kinds):
        kinds.append(bench.next(events).kind)
    assert kinds.count("rejected") == 1
    assert "redelivered" not in kinds


# ---- replies

REPLIES = {
    "no JSON": b"\xff",
    "deep nesting": b"[" * 50_000,
    "no id": envelope.pack({"result": 1}),
    "an id that no call has": envelope.pack({"_msg_id": "guessed", "result": {"name": "forged"}}),
    "a failure that is no object": envelope.pack({"_msg_id": "guessed", "failure": "[]"}),
    "a failure of deep nesting": envelope.pack({"_msg_id": "guessed", "failure": "[" * 50_000}),
    "a rejection of nothing": envelope.pack({"_msg_id": "guessed", "rejected": ""}),
    "a rejection of the wrong type": envelope.pack({"_msg_id": "guessed", "rejected": {"method": "switch"}}),
}


@pytest.mark.parametrize("body", REPLIES.values(), ids=REPLIES.keys())
def test_a_hostile_reply_is_dropped(bench: Bench, body: bytes):
    """A reply to no call changes nothing, and the next reply arrives."""
    bench.serve(Keeper())
    peer = bench.peer()
    peer.on_rejected = broken
    forged = Message(body=body, exchange=peer.reply_exchange, routing_key=peer.reply_queue, message_id="forged")

    bench.peer("stranger").transport.publish(forged)

    assert bench.client(peer).get(CTXT, "desk") == Lamp("desk")


@pytest.mark.parametrize("kwargs", [{"message": "twice"}, {"self": 1}, ["a"], 7, {"a": {"b": [None]}}])
def test_a_failure_with_odd_details_is_still_an_error(bench: Bench, kwargs: Any):
    """Details that no constructor takes harm neither the caller nor the thread that reads replies."""
    failure = msgspec.json.encode({"class": "LampBroken", "message": "odd", "kwargs": kwargs}).decode()
    peer = bench.peer()
    answer_by_hand(bench, lambda msg_id: envelope.pack({"_msg_id": msg_id, "failure": failure}))

    with pytest.raises(LampBroken, match="odd") as caught:
        bench.client(peer).get(CTXT, "desk")
    assert caught.value.details == (kwargs if isinstance(kwargs, dict) else {})


def answer_by_hand(bench: Bench, write: Any) -> None:
    """Serve the topic with a function that writes its replies itself."""
    peer = bench.peer("by hand")

    def answer(delivery: Delivery) -> None:
        asked = delivery.message
        msg_id = envelope.unpack(asked.body)["_msg_id"]
        reply = Message(body=write(msg_id), exchange=peer.reply_exchange, routing_key=asked.reply_to, message_id=msg_id)
        bench.spawn(peer.transport.publish, reply)
        bench.spawn(delivery.ack)

    peer.transport.subscribe(
        Subscription(
            queue=bench.topic, exchange=bench.exchange, kind=TOPIC, routing_key=bench.topic, on_delivery=answer
        )
    )


def test_a_result_of_another_type_is_not_passed_on(bench: Bench):
    """A server of another library may return another type than declared; its work was done all the same."""
    answer_by_hand(bench, lambda msg_id: envelope.pack({"_msg_id": msg_id, "result": {"colour": "red"}}))

    with pytest.raises(rpc.RemoteError, match=r"something else than declared.*`name`") as caught:
        bench.client().get(CTXT, "desk")
    assert not caught.value.definite


def test_a_second_reply_is_dropped(bench: Bench):
    """The first reply ends a call."""
    ids: list[str] = []

    def write(msg_id: str) -> bytes:
        ids.append(msg_id)
        return envelope.pack({"_msg_id": ids[0], "result": {"name": f"answer {len(ids)}"}})

    answer_by_hand(bench, write)
    client = bench.client()

    assert client.get(CTXT, "desk") == Lamp("answer 1")
    with pytest.raises(rpc.MessagingTimeout):
        client.within(0.1).get(CTXT, "desk")


def test_a_foreign_caller_gets_its_reply_in_its_own_queue(bench: Bench):
    """A caller of oslo.messaging names its queue in the message, and reads from the default exchange."""
    bench.serve(Keeper())
    heard = bench.listen(f"reply_{bench.mark}")

    body = bench.payload("get", {"name": "desk"}, _msg_id="42", _reply_q=f"reply_{bench.mark}")
    bench.request(bench.peer(), body, reply_to=None)
    reply = envelope.unpack(bench.next(heard).body)

    assert {key: reply[key] for key in ("_msg_id", "result", "failure", "ending")} == {
        "_msg_id": "42",
        "result": {"name": "desk", "watts": 40},
        "failure": None,
        "ending": True,
    }


@needs(VOUCHES)
def test_a_receiver_gets_the_senders_broker_user(bench: Bench):
    """The user_id of a message is the broker's word, not the sender's."""
    heard = bench.listen(f"any-{bench.mark}")
    peer = bench.peer()
    bench.request(peer, b"{}", routing_key=f"any-{bench.mark}", user_id=peer.transport.user_id)

    assert bench.next(heard).user_id == "mininova"
