"""Keeps a list of denials in the database, slowly: a flood of forbidden messages must not become a flood of writes.

rpc.Server calls a DenialLog for each denial.  It counts denials in memory; one writer at a time, in the background,
takes the counts to the database and then pauses.  Repeated lines of the log file are another matter:
rpc/watch/sparing.py.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from mininova import errors
from mininova.db import denials
from mininova.db.denials import MAX_CHARS, REST, Denied
from mininova.db.session import Database
from mininova.rpc import Denial

LOG = logging.getLogger(__name__)

MOST_WAITING = 200  # counts that wait to be written; further ones are added to a count without an object

Key = tuple[str, str, str]


class DenialLog:
    """Count denials; it is what ``rpc.Trust(on_denied=…)`` takes.

    :param spawn: runs the writer in the background
    :param pause: seconds between two writes
    """

    def __init__(self, db: Database, *, spawn: Callable[..., Any], pause: float = 1.0) -> None:
        self._db, self._spawn, self._pause = db, spawn, pause
        self._guard, self._stopped = threading.Lock(), threading.Event()
        self._waiting: dict[Key, Denied] = {}
        self._writing = False

    def __call__(self, denial: Denial) -> None:
        """Count a denial, and start the writer if none is at work."""
        denied = _denied(denial)
        with self._guard:
            key = (denied.caller, denied.method, denied.object)
            if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
                key, denied = (*key[:2], REST), replace(denied, object=REST)
            self._waiting[key] = _sum(self._waiting.get(key), denied)
            idle, self._writing = not self._writing, True
        if idle:
            self._spawn(self._write)

    def stop(self) -> None:
        """Write what waits now, and end the pause."""
        self._stopped.set()
        self._write_waiting()

    def _write(self) -> None:
        while self._write_waiting():
            self._stopped.wait(self._pause)

    def _write_waiting(self) -> bool:
        """Write all that waits; tell whether there was anything.  When there was not, the writer is done."""
        with self._guard:
            waiting, self._waiting = self._waiting, {}
            self._writing = bool(waiting)
        try:
            if waiting:
                with self._db.write(patience=0) as tx:
                    for denied in waiting.values():
                        denials.record(tx, denied)
        except errors.DatabaseNotReady as error:
            LOG.error("conductor could not list %d denials, which are in this log only: %s", len(waiting), error)
        return bool(waiting)


def _denied(denial: Denial) -> Denied:
    """Make the row of a denial, its words cut to the length of the columns."""
    at = datetime.fromtimestamp(denial.at, UTC)
    words = {name: (getattr(denial, name) or "")[:length] for name, length in MAX_CHARS.items()}
    return Denied(**words, count=1, first_at=at, last_at=at)


def _sum(before: Denied | None, denied: Denied) -> Denied:
    return denied if before is None else replace(denied, count=before.count + 1, first_at=before.first_at)
