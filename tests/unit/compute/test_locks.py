"""Each instance has a lock, which is dropped when no thread holds it."""

import threading

from mininova.compute.locks import InstanceLocks


def test_one_at_a_time():
    """A thread waits while another one has the lock of the instance."""
    locks, order, wanted = InstanceLocks(), [], threading.Event()

    def second():
        wanted.set()
        with locks.holding("a"):
            order.append("second")

    with locks.holding("a"):
        thread = threading.Thread(target=second)
        thread.start()
        wanted.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_instances_apart():
    """The lock of one instance does not hold up another."""
    locks = InstanceLocks()
    with locks.holding("a"), locks.holding("b"):
        pass


def test_forgotten():
    """A lock that no thread holds is dropped, also after an error."""
    locks = InstanceLocks()
    try:
        with locks.holding("a"):
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert locks._lent == {}


def test_only_idle_ones():
    """Who asks for idle ones gets those that no thread holds, without waiting, and holds them."""
    locks = InstanceLocks()
    with locks.holding("a"):
        with locks.idle(["a", "b"]) as idle:
            assert idle == {"b"}
            with locks.idle(["a", "b"]) as further:
                assert further == set()
        with locks.idle(["b"]) as again:
            assert again == {"b"}
    assert locks._lent == {}
