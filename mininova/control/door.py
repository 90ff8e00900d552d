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
    def shut(self) -> Iterator[None]:
        """Let no request in during a block; those that come wait for its end, and those inside go on."""
        with self._change:
            self._change.wait_for(lambda: not self._shut)
            self._shut = True
        try:
            yield
        finally:
            with self._change:
                self._shut = False
                self._change.notify_all()

    def until_empty(self, patience: float) -> None:
        """Wait for the end of the requests that are inside.

        :param patience: seconds
        :raises errors.Conflict: when they did not end
        """
        with self._change:
            if not self._change.wait_for(lambda: not self._inside, patience):
                raise errors.Conflict(f"Requests are under way, and did not end in {patience:.0f} s.")
