"""The broker in memory delivers everything in order, and a pause takes no real time."""

import pytest

from mininova import rpc
from mininova.rpc.transports.base import TOPIC, Message
from tests.fixtures.rpc_bench import Keeper, Lamp, MemoryBench


@pytest.fixture
def bench():
    """Give a broker in memory."""
    return MemoryBench()


def test_casts_wait_until_they_are_delivered(bench):
    """A test decides when a cast is delivered."""
    keeper = Keeper()
    bench.serve(keeper)
    bench.client().switch({}, Lamp("desk"))

    assert keeper.asked.empty()
    bench.broker.run()
    assert keeper.asked.get_nowait() == ("switch", (Lamp("desk"), "white"))


def test_a_call_is_delivered_while_its_caller_waits(bench):
    """Casts that were sent before the call keep waiting."""
    keeper = Keeper()
    bench.serve(keeper)
    client = bench.client()
    client.switch({}, Lamp("desk"))

    assert client.get({}, "hall") == Lamp("hall")
    assert keeper.asked.qsize() == 1


def test_messages_come_in_the_order_of_their_sending(bench):
    """Each queue is first in, first out."""
    keeper = Keeper()
    bench.serve(keeper)
    for number in range(5):
        bench.client().switch({}, Lamp(str(number)))
    bench.broker.run()

    assert [keeper.asked.get_nowait()[1][0].name for _ in range(5)] == list("01234")


def test_a_message_given_back_comes_first(bench):
    """A message that its reader gave back keeps its place in the queue."""
    first = bench.peer("lamp.a")
    bench.serve(Keeper(), "a", peer=first, spawn=lambda *args: None)
    client = bench.client()
    for name in "first", "second":
        client.switch({}, Lamp(name))
    bench.broker.run()
    client.switch({}, Lamp("third"))

    first.stop()

    waiting = [held.message.body for held in bench.broker.queues[bench.topic].messages]
    assert [name for body in waiting for name in (b"first", b"second", b"third") if name in body] == [
        b"first",
        b"second",
        b"third",
    ]


# ---- time


def pause(bench, seconds):
    """Make a queue whose messages come to the lamps after some seconds; give its key."""
    key = f"{bench.topic}.pause.{seconds}"
    bench.peer().transport.declare_pause(key, bench.exchange, key, seconds=seconds, back_to=bench.topic)
    return key


def ask_to_switch(bench, lamp, **properties):
    """Send the lamps a cast by hand."""
    bench.request(bench.peer(), bench.payload("switch", {"lamp": {"name": lamp}}), **properties)


def test_pauses_end_in_the_order_of_time(bench):
    """The shortest pause ends first, when nothing else is left to deliver, and each at its time."""
    came = []
    bench.serve(Keeper(switch=lambda lamp, colour: came.append((lamp.name, bench.broker.now))))
    for seconds in 30, 5, 1:
        ask_to_switch(bench, f"after {seconds}", routing_key=pause(bench, seconds))
    ask_to_switch(bench, "now")

    bench.broker.run()

    assert came == [("now", 0), ("after 1", 1), ("after 5", 5), ("after 30", 30)]


def test_a_message_after_a_pause_is_the_same(bench):
    """Only its routing key differs, as if it had been sent there."""
    heard = bench.listen(bench.topic)
    ask_to_switch(bench, "desk", routing_key=pause(bench, 5), deliveries=3, headers={"traceparent": "00-ab-cd-01"})

    message = bench.next(heard)

    assert (message.routing_key, message.deliveries, message.persistent) == (bench.topic, 3, True)
    assert message.headers["traceparent"] == "00-ab-cd-01"


def test_a_call_without_an_answer_lasts_until_its_deadline(bench):
    """The clock moves to the caller's deadline, and the call is not delivered after that."""
    deaf = bench.serve(Keeper(), spawn=lambda *args: None)
    client = bench.client()

    with pytest.raises(rpc.MessagingTimeout):
        client.within(7).toggle({}, "desk")
    deaf.peer.stop()
    late = Keeper()
    bench.broker.later(1, lambda: bench.serve(late))
    bench.broker.run()

    assert bench.broker.now == 8
    assert late.asked.empty()


# ---- taking all that waits


def test_waiting_takes_everything_there_is(bench):
    """Messages come in order; those acknowledged are gone, and the rest is in the queue again when the taker stops."""
    for name in "first", "second", "third":
        bench.peer().transport.declare(bench.topic, bench.exchange, bench.topic)
        ask_to_switch(bench, name)
    taker, next_one = bench.peer(), bench.peer()

    taken = taker.transport.waiting(bench.topic)
    assert [delivery.redelivered for delivery in taken] == [False] * 3
    assert list(next_one.transport.waiting(bench.topic)) == []
    taken[1].ack()
    taker.stop()

    left = next_one.transport.waiting(bench.topic)
    assert [name for each in left for name in (b"first", b"second", b"third") if name in each.message.body] == [
        b"first",
        b"third",
    ]


def test_waiting_in_no_queue(bench):
    """The error names the queue that does not exist."""
    with pytest.raises(rpc.Undeliverable, match=r"no queue lamp\.dead"):
        bench.peer().transport.waiting("lamp.dead")


def test_it_is_at_rest_when_no_work_is_in_hand(bench):
    """Work is what was asked for; only that is waited for which someone names."""
    held = bench.peer("lamp.a")
    bench.serve(Keeper(), "a", peer=held, spawn=lambda *args: None)
    bench.client().switch({}, Lamp("desk"))

    assert not bench.broker.come_to_rest(0, lambda message: b"desk" in message.body)
    assert bench.broker.come_to_rest(0, lambda message: b"hall" in message.body)


def test_a_reply_that_no_call_waits_for_is_no_work(bench):
    """It stays in hand until its sender is asked again, which may take long."""
    reader = bench.transport()
    reader.start()
    queue = bench.broker.bind("replies", "lamps", "reply_1")
    bench.broker.route(Message(body=b"{}", exchange="lamps", routing_key="reply_1", message_id="1"), TOPIC)
    reader.take(queue, queue.messages.popleft())

    assert bench.broker.come_to_rest(0, lambda message: True)
