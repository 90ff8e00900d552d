"""Threads for a server in a process without eventlet: each message is handled in a thread that it has to itself."""

import queue
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

_Work = tuple[Callable[..., object], tuple[Any, ...]]


class Threads:
    """Call it to have a function run aside.

    There are as many threads as there is work at once, so nothing waits for a slow handler.  A thread that has nothing
    to do takes the next work, which costs a tenth of a new thread, or ends after a while.

    :param idle_for: seconds until then
    """

    def __init__(self, idle_for: float = 10.0) -> None:
        self._idle_for, self._lock = idle_for, threading.Lock()
        self._idle = 0  # threads that no work is on its way to
        self._work: queue.SimpleQueue[_Work] = queue.SimpleQueue()

    def __call__(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function aside."""
        if self._count_on_one():
            self._work.put((function, args))
        else:
            threading.Thread(target=self._run, args=(function, args), daemon=True).start()

    def _count_on_one(self) -> bool:
        with self._lock:
            found = self._idle > 0
            self._idle -= found
        return found

    def _run(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        work: _Work | None = (function, args)
        while work is not None:
            function, args = work
            Context().run(function, *args)  # as in a new thread: no request id or host of the work before
            del function, args, work  # so that nothing is kept alive until there is more
            with self._lock:
                self._idle += 1
            work = self._next()

    def _next(self) -> _Work | None:
        try:
            return self._work.get(timeout=self._idle_for)
        except queue.Empty:
            # End, unless work is on its way to this thread.
            return None if self._count_on_one() else self._work.get()
