"""How green threads wait for PostgreSQL: each looks for an answer first, and only then lets the others go on.

psycopg says what a statement waits for, and a function of its own does the waiting.  The one for green threads goes by
way of eventlet's hub, even to learn that a request can be sent, and each time all that is ready has its turn before.
Most answers come sooner than that turn.  A slow statement holds the others up by the one look.
"""

from collections.abc import Generator
from typing import Any, TypeVar

import eventlet
from psycopg import waiting

LOOK_MS = 1  # for which an answer is looked for, while all other green threads stand still

T = TypeVar("T")

_select: Any = eventlet.patcher.original("select")
_EVENTS = ((waiting.WAIT_R, _select.POLLIN), (waiting.WAIT_W, _select.POLLOUT))


def install() -> None:
    """Have psycopg wait so in this process."""
    waiting.wait = wait  # type: ignore[assignment]  # since 3.3 there is an argument more, and it is passed on


def wait(asking: Generator[Any, Any, T], fileno: int, *args: Any, **how: Any) -> T:
    """Bring one operation to its end (psycopg: waiting.wait)."""
    result: T = waiting.wait_select(_looking_first(asking, fileno), fileno, *args, **how)
    return result


def _looking_first(asking: Generator[Any, Any, T], fileno: int) -> Generator[Any, Any, T]:
    """Pass on what is waited for, but for what a look finds."""
    try:
        wanted = next(asking)
        while True:
            ready = _look(fileno, wanted) or (yield wanted)
            wanted = asking.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result


def _look(fileno: int, wanted: int) -> int:
    """Tell which of what is wanted is ready, or is within a moment; a broken connection is left to psycopg."""
    poll, found = _select.poll(), 0
    poll.register(fileno, sum(event for ready, event in _EVENTS if wanted & ready))
    for _, events in poll.poll(LOOK_MS):
        found = sum(ready for ready, event in _EVENTS if events & event)
    return found
