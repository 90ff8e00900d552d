"""A whole SQLite database as a copy, and as it was when the copy was made; or only one project as it was.

The control of a cloud for tests (mininova/control) resets it with this, saves it and loads it, while nothing else
writes.  It knows the tables by what SQLite says of them, those of the stand-ins, too.  Which hosts there are is no part
of it: that is so now, and not as it was then.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mininova.db import generations
from mininova.db.session import Connection, Database

#: What says which hosts there are, who they are and what they did.
HOSTS = frozenset({"services", "compute_nodes", "identities", "host_limits", "task_log", "denials"})
#: Which columns name a project; and those that name an instance or a migration, by which a row is a project's, too.
OF_PROJECT, OF_INSTANCE = ("project_id", "owner"), ("instance_uuid", "guest_uuid")
#: What a project's reset leaves alone, though a project is named there: its users have it.
OF_USERS = frozenset({"application_credentials"})

_RECOUNT = """UPDATE compute_nodes SET failed_builds = 0, (vcpus_used, memory_mb_used, local_gb_used, instances_used) =
    (SELECT COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory_mb), 0), COALESCE(SUM(disk_gb), 0), COUNT(*)
     FROM allocations WHERE allocations.host = compute_nodes.host)"""


def copy(db: Database) -> sqlite3.Connection:
    """Copy all into a database in memory."""
    there = sqlite3.connect(":memory:", check_same_thread=False)
    with db.read() as tx:
        _raw(tx).backup(there)
    return there


def is_alike(tx: Connection, saved: sqlite3.Connection) -> bool:
    """Tell whether a copy has the tables that the database has."""
    return _tables(_raw(tx)) == {name: sql for name, sql in _tables(saved).items() if not name.startswith("control_")}


def knows(tx: Connection, project: str) -> bool:
    """Tell whether there is a project, or anything that is said to be one's that was deleted."""
    queries = (f'SELECT 1 FROM "{name}" WHERE {column} = ? LIMIT 1' for name, column in _where_projects_stand(_raw(tx)))
    return any(_raw(tx).execute(query, [project]).fetchone() for query in queries)


def _where_projects_stand(raw: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Give tables and their columns: first that of the projects themselves."""
    yield "projects", "id"
    for name in _tables(raw):
        columns = {row[1] for row in raw.execute(f'PRAGMA table_info("{name}")')}
        yield from ((name, column) for column in columns.intersection(OF_PROJECT))


def new_instances(tx: Connection, saved: sqlite3.Connection, project: str | None) -> set[str]:
    """Name the instances that there were not then.

    :param project: only those of this one; None means all
    """
    return {uuid for (uuid,) in _new(_raw(tx), saved, "instances", *_its_instances(project))}


def delete_instances(tx: Connection, saved: sqlite3.Connection, project: str | None) -> set[str]:
    """Have them be deleted, as by their owners, so that whatever is done to them gives way; name them."""
    new = new_instances(tx, saved, project)
    _raw(tx).executemany("UPDATE instances SET task_state = 'deleting' WHERE uuid = ?", [(uuid,) for uuid in new])
    return new


def _its_instances(project: str | None) -> tuple[Sequence[str], str, Mapping[str, Any]]:
    return ("uuid",), "project_id = :project" if project else "true", {"project": project}


def restore(tx: Connection, saved: sqlite3.Connection) -> None:
    """Have everything as it was, on the hosts that there are."""
    raw = _raw(tx)
    raw.execute("PRAGMA defer_foreign_keys = ON")
    names = _tables(raw).keys() - HOSTS
    for name in names:
        raw.execute(f'DELETE FROM "{name}"')
    for name in names:
        rows = saved.execute(f'SELECT * FROM "{name}"')
        places = ", ".join("?" * len(rows.description))
        raw.executemany(f'INSERT INTO "{name}" VALUES ({places})', rows)
    _settle_hosts(tx, saved)


def forget_project(tx: Connection, saved: sqlite3.Connection, project: str, instances: Iterable[str]) -> None:
    """Have nothing of a project that there was not then.

    :param instances: those of it that were forgotten before
    """
    raw, given = _raw(tx), {"project": project}
    raw.execute("PRAGMA defer_foreign_keys = ON")
    raw.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (uuid TEXT PRIMARY KEY)")
    raw.execute("DELETE FROM forgotten")
    raw.executemany("INSERT INTO forgotten VALUES (?)", [(uuid,) for uuid in instances])
    raw.execute(
        "INSERT OR IGNORE INTO forgotten "
        "SELECT uuid FROM migrations WHERE instance_uuid IN (SELECT uuid FROM forgotten)"
    )
    for name in _tables(raw).keys() - HOSTS - OF_USERS:
        columns = {row[1]: row[5] for row in raw.execute(f'PRAGMA table_info("{name}")')}
        key = tuple(column for column, place in columns.items() if place)
        for column in columns.keys() & {*OF_PROJECT}:
            new = _new(raw, saved, name, key, f"{column} = :project", given)
            raw.executemany(f'DELETE FROM "{name}" WHERE {" AND ".join(f"{part} = ?" for part in key)}', new)
        for column in columns.keys() & {*OF_INSTANCE}:
            raw.execute(f'DELETE FROM "{name}" WHERE {column} IN (SELECT uuid FROM forgotten)')
    _forget_orphans(raw)
    raw.execute("DROP TABLE forgotten")
    raw.execute(_RECOUNT)
    _have_schedulers_look(tx)


def _new(
    raw: sqlite3.Connection,
    saved: sqlite3.Connection,
    name: str,
    key: Sequence[str],
    where: str,
    given: Mapping[str, Any],
) -> list[tuple[Any, ...]]:
    """Read the keys of those rows of a table that there were not then."""
    query = f'SELECT {", ".join(key)} FROM "{name}" WHERE {where}'
    then = set(saved.execute(query, given))
    return [row for row in raw.execute(query, given) if row not in then]


def _forget_orphans(raw: sqlite3.Connection) -> None:
    """Delete the rows whose foreign keys lead to rows that are gone, and then those that led to them."""
    gone = 1
    while gone:
        gone = 0
        for name in _tables(raw):
            for _, _, parent, column, to, *_ in raw.execute(f'PRAGMA foreign_key_list("{name}")').fetchall():
                lost = f'"{column}" IS NOT NULL AND "{column}" NOT IN (SELECT "{to}" FROM "{parent}")'
                gone += raw.execute(f'DELETE FROM "{name}" WHERE {lost}').rowcount


def _settle_hosts(tx: Connection, saved: sqlite3.Connection) -> None:
    """Have the hosts promise what is promised, and be as operators had made them."""
    raw = _raw(tx)
    raw.execute("UPDATE services SET disabled = 0, disabled_reason = NULL, forced_down = 0, aggregate_zone = NULL")
    set_by_operators = "disabled, disabled_reason, forced_down, aggregate_zone"
    raw.executemany(
        f"UPDATE services SET ({set_by_operators}) = (?, ?, ?, ?) WHERE host = ? AND binary = ?",
        saved.execute(f"SELECT {set_by_operators}, host, binary FROM services"),
    )
    columns = [row[1] for row in raw.execute("PRAGMA table_info(compute_nodes)") if row[1].startswith("aggregate_")]
    said = ", ".join(columns)
    raw.execute("UPDATE compute_nodes SET " + ", ".join(f"{column} = NULL" for column in columns))
    raw.executemany(
        f"UPDATE compute_nodes SET ({said}) = ({', '.join('?' * len(columns))}) WHERE host = ?",
        saved.execute(f"SELECT {said}, host FROM compute_nodes"),
    )
    raw.execute(_RECOUNT)
    _have_schedulers_look(tx)


def _have_schedulers_look(tx: Connection) -> None:
    generations.changed(tx, *(host for (host,) in _raw(tx).execute("SELECT host FROM compute_nodes")))


def _tables(raw: sqlite3.Connection) -> dict[str, str]:
    """Give the tables, and how each was made; those that say which schema this is say it of any copy."""
    made = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name: sql for name, sql in made if "version" not in name}


def _raw(tx: Connection) -> sqlite3.Connection:
    connection: sqlite3.Connection = tx.connection.driver_connection  # type: ignore[assignment]
    return connection
