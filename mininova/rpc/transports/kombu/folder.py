"""A folder of files as a broker: kombu's own, with two holes closed.

kombu writes a message under its last name, and another process may take it before it is whole; and two processes that
make an exchange at the same time may overwrite each other's table of bindings.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem


class _Channel(filesystem.Channel):  # type: ignore[misc]  # kombu has no types
    def _put(self, queue: str, payload: Any, **how: Any) -> None:
        """Write a message under a name that is no queue's, and rename it when it is whole; names are read in order."""
        mark = uuid4().hex
        super()._put(f"{queue}.{mark}", payload, **how)
        (written,) = Path(self.data_folder_out).glob(f"*.{mark}.msg")
        written.rename(written.with_name(f"{time.time_ns()}_{mark}.{queue}.msg"))

    def get_table(self, exchange: str) -> Any:
        """Give the bindings of an exchange."""
        with self._alone():
            return super().get_table(exchange)

    def _queue_bind(self, *binding: str) -> None:
        with self._alone():
            super()._queue_bind(*binding)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes, and other threads, from the tables."""
        self.control_folder.mkdir(exist_ok=True)
        with open(os.path.join(self.control_folder, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # closing it lets go
            yield


class Transport(filesystem.Transport):  # type: ignore[misc]
    """kombu's, with our channel."""

    Channel = _Channel
