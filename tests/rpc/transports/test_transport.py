"""The wait for one thing."""

import threading

from mininova.rpc.transports.base import Waiter


def test_a_waiter_gives_what_it_was_set_to():
    """A wait that is over before it began is over at once, and as often as asked."""
    waiter = Waiter()
    waiter.set("answer")

    assert waiter.wait(0)
    assert waiter.wait(0)
    assert waiter.value == "answer"


def test_a_wait_ends_when_it_is_set_elsewhere():
    """That is what it is for."""
    waiter = Waiter()
    threading.Thread(target=waiter.set, args=("answer",)).start()

    assert waiter.wait(20)
    assert waiter.value == "answer"


def test_only_the_first_time_counts():
    """A second answer, or an error after it, changes nothing."""
    waiter = Waiter()
    waiter.set("first")
    waiter.set("second", KeyError())

    assert (waiter.value, waiter.error) == ("first", None)


def test_a_wait_that_is_over_says_so():
    """Nothing came, and nobody waits for less than no time."""
    assert not Waiter().wait(0)
    assert not Waiter().wait(-1)
