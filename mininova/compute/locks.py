"""A lock for each instance that something is being done to.

The manager holds one while it builds an instance or changes its power, so that two deliveries of one message are
worked on one after the other.  A delete takes no lock: it does not wait for the operation that it ends.  The
reconciler takes those that are free, and leaves the others alone.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class InstanceLocks:
    """Lend one lock for each instance, and forget it when it is neither held nor waited for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._lent: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def holding(self, uuid: str) -> Iterator[None]:
        """Wait for the lock of an instance and hold it."""
        lock = self._borrow(uuid)
        try:
            with lock:
                yield
        finally:
            self._give_back(uuid)

    @contextmanager
    def idle(self, uuids: Iterable[str]) -> Iterator[set[str]]:
        """Hold the locks of those instances that nothing is being done to, and give their uuids; wait for none."""
        held: dict[str, threading.Lock] = {}
        try:
            for uuid in uuids:
                lock = self._borrow(uuid)
                if lock.acquire(blocking=False):
                    held[uuid] = lock
                else:
                    self._give_back(uuid)
            yield set(held)
        finally:
            for uuid, lock in held.items():
                lock.release()
                self._give_back(uuid)

    def _borrow(self, uuid: str) -> threading.Lock:
        with self._guard:
            lock, users = self._lent.get(uuid) or (threading.Lock(), 0)
            self._lent[uuid] = lock, users + 1
            return lock

    def _give_back(self, uuid: str) -> None:
        with self._guard:
            lock, users = self._lent.pop(uuid)
            if users > 1:
                self._lent[uuid] = lock, users - 1
