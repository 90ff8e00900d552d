"""The rows of a stack's database, read beside it: to see what an attack has changed, and what not."""

import sqlite3
from contextlib import closing

#: What changes by itself: the heartbeats of the services that live, and the guests that they count.
BEATS = {"services": {"last_seen_up", "updated_at", "report_count"}, "compute_nodes": {"updated_at"}}
COUNTED = {"running_vms"}
#: What an attack may leave behind.
TRACES = {"denials"}


class Rows:
    """The database, as an operator with the file reads it.

    :param living: the hosts that go on counting their guests
    """

    def __init__(self, path, living):
        self._path, self._living = path, living

    def read(self, query, *values):
        """Give the rows that a query finds."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]

    def instance(self, uuid):
        """Give the row of an instance."""
        (row,) = self.read("SELECT * FROM instances WHERE uuid = ?", uuid)
        return row

    def node(self, host):
        """Give the row of a host's compute node."""
        (row,) = self.read("SELECT * FROM compute_nodes WHERE host = ?", host)
        return row

    def all(self):
        """Give every row of every table, but for what changes by itself."""
        names = [row["name"] for row in self.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [
                {
                    column: value
                    for column, value in row.items()
                    if column not in BEATS.get(name, set()) | self._counted(row)
                }
                for row in self.read(f"SELECT * FROM {name}")
            ]
            for name in names
            if name not in TRACES
        }

    def _counted(self, row):
        return COUNTED if row.get("host") in self._living else set()
