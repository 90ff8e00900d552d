"""What a sender and a receiver may rely on: where messages go, how long they have, and what comes back.

One suite, over memory and over RabbitMQ; test_transport_refusals.py and test_transport_losses.py belong to it.
"""

import queue
import threading
from typing import Any

import msgspec
import pytest

from mininova import rpc
from mininova.rpc import envelope
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp, LampBroken, broken, never

# ---- where messages go


def test_a_call_gives_what_the_method_returned(bench: Bench):
    """The result comes back as the declared type."""
    bench.serve(Keeper())

    assert bench.client().get(CTXT, "desk") == Lamp("desk")


def test_a_host_gets_only_its_own_messages(bench: Bench):
    """``on`` narrows to one server, and the other gets nothing."""
    one, other = Keeper(), Keeper()
    bench.serve(one, "a")
    bench.serve(other, "b")
    client = bench.client()

    client.on("a").switch(CTXT, Lamp("desk"))
    client.on("b").switch(CTXT, Lamp("hall"))

    assert bench.next(one.asked) == ("switch", (Lamp("desk"), "white"))
    assert bench.next(other.asked) == ("switch", (Lamp("hall"), "white"))


def test_one_server_of_a_topic_gets_each_message(bench: Bench):
    """Without a host any server may take it, and only one does."""
    asked: queue.Queue[tuple[str, Any]] = queue.Queue()
    for host in "ab":
        keeper = Keeper()
        keeper.asked = asked
        bench.serve(keeper, host)
    client = bench.client()

    for name in "desk", "hall", "roof":
        client.switch(CTXT, Lamp(name))

    assert sorted(bench.next(asked)[1][0].name for _ in range(3)) == ["desk", "hall", "roof"]
    assert asked.empty()


def test_every_server_gets_a_fanout(bench: Bench):
    """A fanout reaches each of them once."""
    keepers = [Keeper(), Keeper()]
    for host, keeper in zip("ab", keepers, strict=True):
        bench.serve(keeper, host)

    bench.client().dim(CTXT, percent=20)

    assert [bench.next(keeper.asked) for keeper in keepers] == [("dim", 20)] * 2


def test_a_notification_waits_for_its_listener(bench: Bench):
    """Its queue exists before its listener, and it has oslo.messaging's format."""
    peer = bench.peer("lamp.a")
    rpc.Notifier(peer, "lamp.a", topic=f"told-{bench.mark}").info(CTXT, "lamp.broken", {"name": "desk"})

    heard = bench.next(bench.listen(f"told-{bench.mark}.info"))

    assert envelope.unpack(heard.body)["event_type"] == "lamp.broken"
    assert heard.persistent


# ---- no receiver


def test_a_cast_that_no_queue_takes_is_undeliverable(bench: Bench):
    """The sender gets an error at once, which names the target."""
    with pytest.raises(rpc.Undeliverable, match=f"{bench.topic}.nowhere"):
        bench.client().on("nowhere").switch(CTXT, Lamp("desk"))


def test_a_call_that_no_queue_takes_is_undeliverable(bench: Bench):
    """The caller does not wait for its deadline."""
    with pytest.raises(rpc.Undeliverable, match=f"{bench.topic}.nowhere"):
        bench.client().on("nowhere").get(CTXT, "desk")


def test_a_call_without_an_answer_times_out(bench: Bench):
    """The error says that the work may have been done."""
    bench.serve(Keeper(), spawn=never)

    with pytest.raises(rpc.MessagingTimeout, match="may have done it or not") as caught:
        bench.client().within(0.3).get(CTXT, "desk")
    assert not caught.value.definite


# ---- deadlines


def test_the_deadline_travels_with_a_call(bench: Bench):
    """The receiver has no more time than the caller waits."""
    keeper = Keeper()
    bench.serve(keeper)

    bench.client().within(15).get(CTXT, "desk")

    assert 0 < keeper.left[0] <= 15


def test_a_call_inside_a_handler_has_the_time_that_is_left(bench: Bench):
    """A call made by a handler has what is left of the handler's own deadline, even if it asks for more."""
    inner = Keeper()
    bench.serve(inner, "inner")
    ask = bench.client(bench.peer("lamp.outer")).on("inner").within(500)
    bench.serve(Keeper(get=lambda name: ask.get(CTXT, name)), "outer")

    bench.client().on("outer").within(15).get(CTXT, "desk")

    assert 0 < inner.left[0] <= 15


def test_a_cast_has_no_deadline(bench: Bench):
    """Its handler may take any time."""
    keeper = Keeper()
    bench.serve(keeper)

    bench.client().switch(CTXT, Lamp("desk"))
    bench.next(keeper.asked)

    assert keeper.left == [1000.0]


def test_nothing_is_sent_without_time_left(bench: Bench):
    """A call whose deadline has passed is refused before it is sent."""
    keeper = Keeper()
    bench.serve(keeper)
    client = bench.client()

    with pytest.raises(rpc.MessagingTimeout, match="no time left"):
        client.within(0).get(CTXT, "desk")
    client.switch(CTXT, Lamp("marker"))

    assert bench.next(keeper.asked)[0] == "switch"


# ---- errors


def test_an_error_with_a_registered_name_comes_back_as_itself(bench: Bench):
    """Class, sentence and details cross the wire."""
    bench.serve(Keeper(get=broken))

    with pytest.raises(LampBroken, match=r"^the filament is gone$") as caught:
        bench.client().get(CTXT, "desk")
    assert caught.value.details == {"name": "desk"}


def test_an_error_without_a_registered_name_is_a_remote_error(bench: Bench):
    """The caller imports no class for it, even one that it could import."""

    def run_away(name: str) -> None:
        raise queue.Empty("as the other side knows it")

    bench.serve(Keeper(get=run_away))

    with pytest.raises(rpc.RemoteError, match="Empty: as the other side knows it") as caught:
        bench.client().get(CTXT, "desk")
    assert caught.value.details["code"] == "Empty"
    assert not caught.value.definite


def test_a_result_that_cannot_travel_is_an_error_of_its_call(bench: Bench):
    """The caller gets an error, and the method does not run again."""
    keeper = Keeper(get=lambda name: object())
    bench.serve(keeper)

    with pytest.raises(rpc.RemoteError, match="TypeError"):
        bench.client().get(CTXT, "desk")
    assert keeper.asked.qsize() == 1


def test_a_result_of_another_type_is_not_sent(bench: Bench):
    """The server checks its own result; the work was done, so the error is not a definite one."""
    bench.serve(Keeper(get=lambda name: {"colour": "red"}))

    with pytest.raises(rpc.RemoteError, match=r"get has a result that is not as declared.*`name`") as caught:
        bench.client().get(CTXT, "desk")
    assert not caught.value.definite


def test_details_of_any_type_travel_as_text(bench: Bench):
    """A detail that JSON cannot write does not keep an error from its caller."""

    def fail(name: str) -> None:
        raise LampBroken("broken", by=threading.Thread)

    bench.serve(Keeper(get=fail))

    with pytest.raises(LampBroken) as caught:
        bench.client().get(CTXT, "desk")
    assert "Thread" in caught.value.details["by"]


# ---- what observers see


def test_events_show_each_step_of_a_message(bench: Bench):
    """A call is sent, received and replied; all three events have its id and the request's, and no secrets."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    bench.serve(Keeper(), watch=rpc.Flow(events.put))

    bench.client(bench.peer(watch=rpc.Flow(events.put))).get({**CTXT, "token": "gAAAA"}, "desk")
    told = [bench.next(events) for _ in range(3)]

    assert [event.kind for event in told] == ["sent", "received", "replied"]
    assert len({event.message_id for event in told}) == 1
    assert {(event.request_id, event.pattern, event.method) for event in told} == {("req-1", "call", "get")}
    assert [event.receiver for event in told] == [bench.topic, "lamp.a", "lamp.a"]
    assert told[-1].payload == {"result": {"name": "desk", "watts": 40}}
    assert b"gAAAA" not in msgspec.json.encode(told)


def test_peers_and_servers_are_context_managers(bench: Bench):
    """They start with the block; a cast sent after it waits in the queue."""
    keeper, client = Keeper(), bench.client()
    with (
        rpc.Peer(bench.transport(), name="lamp.a", exchange=bench.exchange) as peer,
        rpc.Server(peer, "a", [(bench.api, keeper)], spawn=bench.spawn),
    ):
        client.switch(CTXT, Lamp("desk"))
        assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))

    client.switch(CTXT, Lamp("hall"))
    bench.deliver()

    assert keeper.asked.empty()


def test_a_reply_waits_for_the_broker_as_long_as_its_caller_does(bench: Bench):
    """After the caller's deadline, the server does not send the reply, and the queue does not keep it."""
    bench.serve(Keeper())
    caller, key = bench.peer("caller"), f"reply_{bench.mark}"
    answers = bench.listen(key, caller.reply_exchange)
    body = bench.payload("get", {"name": "desk"}, _msg_id="1", _reply_q=key)

    bench.request(caller, body, reply_to=key, expiration=700.0, persistent=False)

    assert bench.next(answers).expiration == pytest.approx(700.0, abs=60.0)  # less what passed; Qpid says a time of day
