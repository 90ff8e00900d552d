"""The broker in memory: the same every time, and as unreliable as it is told to be."""

import pytest
from rpc_bench import Keeper, Lamp, MemoryBench

from mininova import rpc


@pytest.fixture
def bench():
    """Give a broker in memory."""
    return MemoryBench()


def test_casts_wait_until_they_are_delivered(bench):
    """Nothing happens behind a test's back."""
    keeper = Keeper()
    bench.serve(keeper)
    bench.client().switch({}, Lamp("desk"))

    assert keeper.asked.empty()
    bench.broker.run()
    assert keeper.asked.get_nowait() == ("switch", (Lamp("desk"), "white"))


def test_a_call_is_delivered_while_its_caller_waits(bench):
    """And casts that were sent before it keep waiting."""
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


@pytest.mark.parametrize("copies", [0, 2])
def test_messages_can_be_lost_and_doubled(bench, copies):
    """A test says what becomes of each message."""
    keeper = Keeper()
    bench.serve(keeper)
    bench.broker.copies = lambda message: copies
    bench.client().switch({}, Lamp("desk"))
    bench.broker.run()

    assert keeper.asked.qsize() == copies


def test_a_lost_call_times_out_at_once(bench):
    """Nothing is left that could answer, so nobody waits."""
    bench.serve(Keeper())
    bench.broker.copies = lambda message: 0

    with pytest.raises(rpc.MessagingTimeout):
        bench.client().within(3600).get({}, "desk")


def test_what_was_taken_back_comes_first(bench):
    """A message that its reader gave back keeps its place."""
    first = bench.peer("lamp.a")
    bench.serve(Keeper(), "a", peer=first, spawn=lambda *args: None)
    client = bench.client()
    for name in "first", "second":
        client.switch({}, Lamp(name))
    bench.broker.run()
    client.switch({}, Lamp("third"))

    first.stop()

    waiting = [message.body for message, _ in bench.broker.queues[bench.topic].messages]
    assert [name for body in waiting for name in (b"first", b"second", b"third") if name in body] == [
        b"first",
        b"second",
        b"third",
    ]
