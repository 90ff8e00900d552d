"""The time that is left."""

import threading

import pytest

from mininova.rpc import deadline


def test_without_a_deadline_one_has_what_one_wants():
    """Nothing limits work that nobody waits for."""
    assert deadline.left(60) == 60


def test_a_deadline_limits_what_is_wanted():
    """More than is left cannot be had, less can."""
    with deadline.until(10):
        assert 0 < deadline.left(60) <= 10
        assert deadline.left(1) == 1


@pytest.mark.parametrize("seconds", [0, -5])
def test_what_is_left_is_never_negative(seconds):
    """A deadline that has passed leaves nothing, and so does asking for less than nothing."""
    with deadline.until(seconds):
        assert deadline.left(60) == 0
    assert deadline.left(-1) == 0


def test_a_deadline_ends_with_its_block():
    """Also when the block raises, and also when it was inside another."""
    with deadline.until(10):
        with pytest.raises(KeyError), deadline.until(1):
            raise KeyError
        assert 1 < deadline.left(60) <= 10
    assert deadline.left(60) == 60


def test_a_block_may_have_no_deadline():
    """A cast handled inside a call's thread is not hurried by it."""
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
