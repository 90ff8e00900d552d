"""The deadline of the work in hand, which limits each wait inside it."""

import threading

import pytest

from mininova.rpc import deadline


def test_without_a_deadline_a_wait_may_be_as_long_as_asked():
    """Work that no caller waits for has no limit."""
    assert deadline.left(60) == 60


def test_a_deadline_limits_what_is_wanted():
    """A wait gets what it asks for, but no more than is left."""
    with deadline.until(10):
        assert 0 < deadline.left(60) <= 10
        assert deadline.left(1) == 1


@pytest.mark.parametrize("seconds", [0, -5])
def test_the_time_that_is_left_is_never_negative(seconds):
    """Nothing is left after the deadline, or for a wait of less than no time."""
    with deadline.until(seconds):
        assert deadline.left(60) == 0
    assert deadline.left(-1) == 0


def test_a_deadline_ends_with_its_block():
    """The outer deadline holds again, also when the block raised."""
    with deadline.until(10):
        with pytest.raises(KeyError), deadline.until(1):
            raise KeyError
        assert 1 < deadline.left(60) <= 10
    assert deadline.left(60) == 60


def test_a_block_may_have_no_deadline():
    """A cast handled in the thread of a call is not hurried by the call's deadline."""
    with deadline.until(1), deadline.until(None):
        assert deadline.left(60) == 60


def test_a_deadline_is_its_threads_own():
    """Handlers run beside each other, each with its own."""
    seen = []
    with deadline.until(1):
        thread = threading.Thread(target=lambda: seen.append(deadline.left(60)))
        thread.start()
        thread.join()
    assert seen == [60]
