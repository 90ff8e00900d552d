"""The door that all requests to the services pass: shut for a moment, it leaves no request under way.

Each pipeline has it behind the rules (mininova/wsgi/rules.py), where the cloud is one process.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mininova import errors


class Door:
    """Lets requests in, or has them wait."""

    def __init__(self) -> None:
        self._shut, self._inside, self._change = False, 0, threading.Condition()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside in a block, once the door is open."""
        with self._change:
            self._change.wait_for(lambda: not self._shut)
            self._inside += 1
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                self._change.notify_all()

    @contextmanager
    def shut(self, patience: float) -> Iterator[None]:
        """Have no request inside in a block; those that come wait for its end.

        :param patience: seconds for those that are inside to end
        :raises errors.Conflict: when they did not
        """
        with self._change:
            self._change.wait_for(lambda: not self._shut)
            self._shut = True
        try:
            with self._change:
                if not self._change.wait_for(lambda: not self._inside, patience):
                    raise errors.Conflict(f"Requests are under way, and did not end in {patience:.0f} s.")
            yield
        finally:
            with self._change:
                self._shut = False
                self._change.notify_all()
