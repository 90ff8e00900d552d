"""The deadline of the work in hand: what is asked of others on its behalf may not take longer than it has left."""

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager

_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("rpc_deadline", default=None)


@contextmanager
def until(seconds: float | None) -> Iterator[None]:
    """Run the block under a deadline, or under none.

    :param seconds: from now
    """
    token = _deadline.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def left(wanted: float) -> float:
    """Give the seconds that a call may take: what it wants, or what is left, whichever is less."""
    deadline = _deadline.get()
    return max(0.0, wanted if deadline is None else min(wanted, deadline - time.monotonic()))
