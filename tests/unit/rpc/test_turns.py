"""Whose turn it is."""

import math

import pytest

from mininova.rpc.transport import Delivery, Message
from mininova.rpc.turns import Turns


def delivery(body: str) -> Delivery:
    """Make a message in hand."""
    return Delivery(Message(body=body.encode(), exchange="", routing_key="", message_id=body), False, lambda done: None)


@pytest.fixture
def turns() -> Turns:
    """Let everybody have two messages in hand, and the conductor as many as it likes."""
    return Turns(lambda caller: math.inf if caller == "conductor" else 2)


def test_each_caller_has_so_many(turns: Turns):
    """One that has too many takes nothing from another, nor from one that is trusted."""
    assert [turns.begin("a") for _ in range(3)] == [True, True, False]
    assert turns.begin("b")
    assert all(turns.begin("conductor") for _ in range(100))


def test_what_waits_has_its_turn_in_order(turns: Turns):
    """Each that ends gives the next one, and in the end there is room again."""
    first, second = delivery("1"), delivery("2")
    assert turns.begin("a")
    assert turns.begin("a")
    assert turns.wait("a", first)
    assert turns.wait("a", second)

    assert [turns.end("a") for _ in range(4)] == [first, second, None, None]
    assert [turns.begin("a") for _ in range(3)] == [True, True, False]


def test_who_would_wait_when_there_is_room_need_not(turns: Turns):
    """A hand may have become free between the two questions."""
    assert not turns.wait("a", delivery("1"))
    assert turns.begin("a")
    assert not turns.begin("a")


def test_nobody_is_remembered(turns: Turns):
    """A thousand callers that come once leave nothing behind."""
    for number in range(1000):
        turns.begin(str(number))
        turns.end(str(number))
    assert not turns._in_hand


def test_what_waits_can_be_given_up(turns: Turns):
    """All of it, once; then nothing has a turn."""
    waiting = [delivery("1"), delivery("2")]
    for caller in "a", "b":
        assert turns.begin(caller)
        assert turns.begin(caller)
        turns.wait(caller, waiting[caller == "b"])

    assert turns.give_up() == waiting
    assert turns.give_up() == []
    assert turns.end("a") is None
