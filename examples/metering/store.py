"""The samples that were counted, in SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from metering.api import Sample, Total

_SCHEMA = """
CREATE TABLE IF NOT EXISTS samples (id TEXT PRIMARY KEY, host TEXT, meter TEXT, amount REAL, at REAL);
CREATE INDEX IF NOT EXISTS samples_host ON samples (host, meter);
"""
_TOTALS = """
SELECT host, meter, sum(amount), count(*) FROM samples
WHERE :host IS NULL OR host = :host GROUP BY host, meter ORDER BY host, meter
"""
_PATIENCE = 30.0  # seconds to wait for another writer


class Store:
    """One file.  Every handler has a thread of its own, so every use has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def add(self, meter: str, samples: Sequence[Sample]) -> int:
        """Write samples down, on disk when this returns, and tell how many of them were new."""
        rows = [(sample.id, sample.host, meter, sample.amount, sample.at) for sample in samples]
        with self._connected() as connection:
            return connection.executemany("INSERT OR IGNORE INTO samples VALUES (?, ?, ?, ?, ?)", rows).rowcount

    def totals(self, host: str | None) -> list[Total]:
        """Add up, by host and meter."""
        with self._connected() as connection:
            return [Total(*row) for row in connection.execute(_TOTALS, {"host": host})]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection, connection:
            yield connection
