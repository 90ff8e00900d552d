"""Compute nodes: the room that each host reports, and what of it is promised.

A report writes what is there; the ``…_used`` columns belong to db/claims.py, and a report never touches them.  The
conductor records reports, the scheduler reads ``states``, the api lists hypervisors.

What changes here gives the node a new generation (db/generations.py).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Column, Connection, and_, bindparam, func, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db import aggregate_metadata, generations
from mininova.db.aggregate_metadata import Said
from mininova.db.models import aggregate_hosts, allocations, services
from mininova.db.models import compute_nodes as table
from mininova.db.pages import page
from mininova.db.rows import Rows, insert_new, is_id
from mininova.db.services import ROWS as SERVICES
from mininova.objects import ComputeNode, Service

ROWS = Rows(ComputeNode, table, key="host")

USED = ("vcpus_used", "memory_mb_used", "local_gb_used", "instances_used")
# What is ours to say of a node and not its own.
KEPT = {"id", "uuid", "host", "updated_at", *USED}
REPORTED = [column.name for column in ROWS.columns if column.name not in KEPT]

_update = update_of(table).where(ROWS.which).values(generation=generations.NEXT)
_insert = insert(table)
_known = ROWS.one.add_columns(*aggregate_metadata.COLUMNS)
_promised = select(
    *(func.coalesce(func.sum(allocations.c[name]), 0) for name in ("vcpus", "memory_mb", "disk_gb")), func.count()
).where(allocations.c.host == bindparam("which"))
_its_service = and_(services.c.host == table.c.host, services.c.topic == "compute")
_states = select(*ROWS.columns, *SERVICES.columns).join_from(table, services, _its_service).order_by(table.c.id)
_seen = (
    select(table.c.generation, table.c.aggregate_metadata, *ROWS.columns, *SERVICES.columns)
    .outerjoin_from(table, services, _its_service)
    .order_by(table.c.id)
)
_some = _seen.where(table.c.id.in_(bindparam("ids", expanding=True)))
_since = _seen.add_columns(generations.TOTAL).where(table.c.generation >= bindparam("since"))


class Seen(NamedTuple):
    """A compute node as a scheduler sees it: with what its aggregates say, and its service if it has one."""

    generation: int
    said: Said
    node: ComputeNode
    service: Service | None


def report(tx: Connection, node: ComputeNode) -> ComputeNode:
    """Record the capacity that a host reports, if it changed; the first report registers the node.

    What its aggregates say of overcommit counts instead of what it reports.
    """
    row = tx.execute(_known, {"which": node.host}).first()
    if row is None:
        return _register(tx, node)
    (known,), said = ROWS.all([row]), zip(aggregate_metadata.RATIOS, row[len(ROWS.columns) :], strict=True)
    reported = {name: getattr(node, name) for name in REPORTED}
    reported |= {name: ratio for name, ratio in said if ratio is not None}
    if all(getattr(known, name) == value for name, value in reported.items()):
        return known
    values = {**reported, **generations.now(), "updated_at": datetime.now(UTC), "which": node.host}
    return ROWS.update(tx, _update, values) or _register(tx, node)


def get(tx: Connection, id_or_uuid: int | str) -> ComputeNode:
    """Read one compute node.

    :raises errors.ComputeHostNotFound: when there is none
    """
    key, value = _key(id_or_uuid)
    node = ROWS.first(tx.execute(ROWS.select.where(key == value)))
    if node is None:
        raise errors.ComputeHostNotFound(host=id_or_uuid)
    return node


def search(
    tx: Connection,
    *,
    host: str | None = None,
    pattern: str | None = None,
    limit: int | None = None,
    marker: int | str | None = None,
) -> list[ComputeNode]:
    """List compute nodes in the order in which they registered.

    :param host: only the one of this host
    :param pattern: only those whose hypervisor_hostname has this in it
    :param marker: the id or the uuid of the last one of the page before
    :raises errors.InvalidInput: when no node has the marker
    """
    key, last = _key(marker)
    query = ROWS.select
    if host is not None:
        query = query.where(table.c.host == host)
    if pattern is not None:
        query = query.where(table.c.hypervisor_hostname.contains(pattern, autoescape=True))
    return ROWS.all(tx.execute(page(tx, query, key, marker=last, limit=limit)))


def states(tx: Connection) -> list[tuple[ComputeNode, Service]]:
    """Read all compute nodes together with their services; one without a service is left out."""
    rows = tx.execute(_states).all()
    services_of = (row[len(ROWS.columns) :] for row in rows)
    return list(zip(ROWS.all(rows), SERVICES.all(services_of), strict=True))


def seen(tx: Connection, ids: Collection[int]) -> list[Seen]:
    """Read some compute nodes as a scheduler sees them."""
    return _all_seen(tx.execute(_some, {"ids": list(ids)}).all())


def seen_since(tx: Connection, generation: int) -> tuple[list[Seen], int]:
    """Read the compute nodes whose generation is as great as this, or greater, as a scheduler sees them.

    :return: them, and the sum of the generations of all compute nodes; 0 when none is as great
    """
    rows = tx.execute(_since, {"since": generation}).all()
    return _all_seen(rows), int(rows[0][-1]) if rows else 0


def delete(tx: Connection, host: str) -> bool:
    """Forget a compute node, also in aggregates; tell whether there was one.  What was promised on it stays so."""
    tx.execute(delete_from(aggregate_hosts).where(aggregate_hosts.c.host == host))
    return tx.execute(delete_from(table).where(ROWS.which), {"which": host}).rowcount > 0


def count_claims(tx: Connection, host: str) -> bool:
    """Make what is counted as promised on a host the sum of its claims; tell whether there is such a node.

    The lock comes first: a claim that is being made is in the sum, or is added afterwards.
    """
    if tx.execute(ROWS.one.with_for_update(), {"which": host}).first() is None:
        return False
    tx.execute(_update, {**_used(tx, host), **generations.now(), "which": host})
    return True


def _all_seen(rows: Sequence[Sequence[Any]]) -> list[Seen]:
    first, last = 2, 2 + len(ROWS.columns)
    nodes, with_service = ROWS.all(row[first:last] for row in rows), SERVICES.columns.index(services.c.id) + last
    return [
        Seen(row[0], row[1] or {}, node, SERVICES.all([row[last:]])[0] if row[with_service] is not None else None)
        for row, node in zip(rows, nodes, strict=True)
    ]


def _used(tx: Connection, host: str) -> dict[str, int]:
    return dict(zip(USED, map(int, tx.execute(_promised, {"which": host}).one()), strict=True))


def _register(tx: Connection, node: ComputeNode) -> ComputeNode:
    now = datetime.now(UTC)
    values = {
        **ROWS.values(node),
        **_used(tx, node.host),
        "uuid": node.uuid or str(uuid4()),
        "generation": generations.now()["now_ms"],
        "created_at": now,
        "updated_at": now,
    }
    insert_new(tx, _insert, values)  # or another conductor did, at this very moment
    aggregate_metadata.write(tx, [node.host])
    return ROWS.all(tx.execute(ROWS.one, {"which": node.host}))[0]


def _key(asked: int | str | None) -> tuple[Column[Any], int | str | None]:
    """Tell ids from uuids."""
    return (table.c.id, int(asked)) if asked is not None and is_id(asked) else (table.c.uuid, asked)
