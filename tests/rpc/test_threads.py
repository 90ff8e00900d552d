"""The pool of threads for handlers: one thread for each, used again."""

import queue
import threading
from contextvars import ContextVar

from mininova.rpc.threads import Threads
from tests.fixtures.rpc_bench import PATIENCE, Gate


def test_slow_work_does_not_hold_up_other_work():
    """The pool starts as many threads as there is work."""
    run, gates, done = Threads(), [Gate() for _ in range(10)], queue.Queue[str]()
    for gate in gates:
        run(gate)
    for gate in gates:
        assert gate.entered.wait(PATIENCE)

    run(done.put, "quick")

    assert done.get(timeout=PATIENCE) == "quick"
    for gate in gates:
        gate.may_leave.set()


def test_a_thread_is_used_again():
    """Work in sequence needs one thread, or two when it comes quickly."""
    run, who = Threads(), queue.Queue[int]()
    seen = set()
    for _ in range(100):
        run(lambda: who.put(threading.get_ident()))
        seen.add(who.get(timeout=PATIENCE))

    assert len(seen) < 10


def test_idle_threads_end():
    """They leave nothing behind, and new work gets new threads."""
    run, done = Threads(idle_for=0.01), queue.Queue[threading.Thread]()
    for _ in range(3):
        run(lambda: done.put(threading.current_thread()))
        thread = done.get(timeout=PATIENCE)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_no_work_is_lost_when_threads_end():
    """Work that comes just when a thread is about to end is done all the same."""
    run, done = Threads(idle_for=0.0), queue.Queue[int]()
    for number in range(2000):
        run(done.put, number)

    assert {done.get(timeout=PATIENCE) for _ in range(2000)} == set(range(2000))


def test_work_begins_with_a_context_of_its_own():
    """What one handler sets, such as the request id of its log lines, the next handler in its thread does not see."""
    run, seen, request_id = Threads(), queue.Queue[tuple[int, str]](), ContextVar("request_id", default="none")

    def work() -> None:
        seen.put((threading.get_ident(), request_id.get()))
        request_id.set("of the work before")

    threads = set[int]()
    while True:
        run(work)
        thread, found = seen.get(timeout=PATIENCE)
        assert found == "none"
        if thread in threads:  # it had work before
            return
        threads.add(thread)
