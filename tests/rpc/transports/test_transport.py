"""A waiter: a thread waits there for one answer."""

import threading

from mininova.rpc.transports.base import Waiter


def test_a_waiter_gives_what_it_was_set_to():
    """If the answer came before the wait, the wait ends at once, each time."""
    waiter = Waiter()
    waiter.set("answer")

    assert waiter.wait(0)
    assert waiter.wait(0)
    assert waiter.value == "answer"


def test_a_wait_ends_when_it_is_set_elsewhere():
    """Another thread sets the answer."""
    waiter = Waiter()
    threading.Thread(target=waiter.set, args=("answer",)).start()

    assert waiter.wait(20)
    assert waiter.value == "answer"


def test_only_the_first_time_counts():
    """A second answer, or a later error, changes nothing."""
    waiter = Waiter()
    waiter.set("first")
    waiter.set("second", KeyError())

    assert (waiter.value, waiter.error) == ("first", None)


def test_a_wait_without_an_answer_says_so():
    """Nothing came; a negative wait ends at once."""
    assert not Waiter().wait(0)
    assert not Waiter().wait(-1)
