"""Services: which processes there are, when each was last heard of, and what an operator says of it.

A heartbeat writes what the process knows of itself; ``disabled``, ``forced_down`` and the reason are the operator's.
The conductor records the heartbeats of compute nodes, every other service its own; the api and the scheduler read.
What is more than a heartbeat gives the compute node a new generation (db/generations.py).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of
from sqlalchemy.dialects import mysql

from mininova import errors
from mininova.db.generations import changed
from mininova.db.models import services as table
from mininova.db.rows import Rows, insert_new, is_id
from mininova.objects import Service

ROWS = Rows(Service, table)

_here = (table.c.host == bindparam("on_host"), table.c.binary == bindparam("of_binary"))
_by_place = ROWS.select.where(*_here)
_compute_on = ROWS.select.where(table.c.host == bindparam("on_host"), table.c.topic == "compute")
_computes_on = ROWS.select.where(table.c.host.in_(bindparam("hosts", expanding=True)), table.c.topic == "compute")
_zone = func.coalesce(table.c.aggregate_zone, bindparam("reported_zone"))
_beat = update_of(table).where(*_here).values(report_count=table.c.report_count + 1)
_beat_in_its_zone = _beat.where(table.c.availability_zone == _zone)
_beat_in_another = _beat.values(availability_zone=_zone)
_beats = select(table.c.id, table.c.last_seen_up).where(table.c.id.in_(bindparam("ids", expanding=True)))
_insert = insert(table)
_versions = select(table.c.versions)


def report(tx: Connection, service: Service, now: datetime) -> Service:
    """Record a heartbeat; the first one of a binary on a host registers the service."""
    told = {"topic": service.topic, "reported_zone": service.availability_zone, "versions": service.versions}
    times = {"last_seen_up": now, "updated_at": now}
    values = {**told, **times, "on_host": service.host, "of_binary": service.binary}
    known = ROWS.update(tx, _beat_in_its_zone, values, again=_by_place)
    if known is not None:
        return known
    new = {**ROWS.values(service), **times, "uuid": str(uuid4()), "report_count": 1, "created_at": now}
    known = ROWS.update(tx, _beat_in_another, values, again=_by_place)
    if known is None and not _register(tx, new):
        return report(tx, service, now)  # another conductor registered it at this very moment
    changed(tx, service.host)
    return known or ROWS.all(tx.execute(_by_place, values))[0]


def _register(tx: Connection, new: Mapping[str, Any]) -> bool:
    """Insert the row of a service, or count the heartbeat in the one that another conductor has inserted meanwhile.

    False means that there was one, and nothing was done.
    """
    if tx.dialect.name in ("mysql", "mariadb"):
        # An INSERT that meets the row of another would share a lock on it, and two of those wait for each other.
        tx.execute(_insert_or_count(), new)
        return True
    return insert_new(tx, _insert, new)


@cache
def _insert_or_count() -> Any:
    new = mysql.insert(table)
    times = {name: new.inserted[name] for name in ("last_seen_up", "updated_at")}
    return new.on_duplicate_key_update(report_count=table.c.report_count + 1, **times)


def beats(tx: Connection, ids: Collection[int]) -> dict[int, datetime | None]:
    """Tell when each of some services was last heard of."""
    return {row.id: row.last_seen_up for row in tx.execute(_beats, {"ids": list(ids)})}


def get(tx: Connection, id_or_uuid: int | str) -> Service:
    """Read one service.

    :raises errors.ServiceNotFound: when there is none
    """
    query = ROWS.select.where(table.c.id == int(id_or_uuid) if is_id(id_or_uuid) else table.c.uuid == id_or_uuid)
    return _found(ROWS.first(tx.execute(query)), id_or_uuid)


def search(tx: Connection, *, host: str | None = None, binary: str | None = None) -> list[Service]:
    """List services in the order in which they registered.

    :param host: only those on it
    :param binary: only those of this name
    """
    wanted = ((table.c.host, host), (table.c.binary, binary))
    query = ROWS.select.where(*(column == value for column, value in wanted if value is not None))
    return ROWS.all(tx.execute(query.order_by(table.c.id)))


def compute_on(tx: Connection, host: str) -> Service | None:
    """Find the compute service of a host."""
    return ROWS.first(tx.execute(_compute_on, {"on_host": host}))


def levels(tx: Connection) -> dict[str, list[str]]:
    """Gather what the services have registered that they speak: for each topic and object, each answer once."""
    found: dict[str, set[str]] = {}
    for (versions,) in tx.execute(_versions):
        for name, version in versions.items():
            found.setdefault(name, set()).add(version)
    return {name: sorted(said) for name, said in found.items()}


def update(tx: Connection, uuid: str, **columns: Any) -> Service:
    """Write what an operator says of a service.

    :raises errors.ServiceNotFound: when there is none
    """
    statement = update_of(table).where(ROWS.which).values(columns)
    service = _found(ROWS.update(tx, statement, {"which": uuid}), uuid)
    changed(tx, service.host)
    return service


def delete(tx: Connection, uuid: str) -> None:
    """Forget a service; if it is alive, its next heartbeat registers it anew.

    :raises errors.ServiceNotFound: when there is none
    """
    service = get(tx, uuid)
    tx.execute(delete_from(table).where(ROWS.which), {"which": uuid})
    changed(tx, service.host)


def is_up(service: Service, now: datetime, down_time: float) -> bool:
    """Tell whether a service counts as alive.

    :param down_time: seconds without a heartbeat after which it does not
    """
    return not service.forced_down and was_heard(service, now - timedelta(seconds=down_time))


def was_heard(service: Service, since: datetime) -> bool:
    """Tell whether there was a heartbeat at a moment or later."""
    heard = service.last_seen_up or service.created_at
    return heard is not None and heard >= since


def is_host_up(tx: Connection, host: str, now: datetime, down_time: float) -> bool:
    """Tell whether the compute service of a host counts as alive; one that never registered does not."""
    service = compute_on(tx, host)
    return service is not None and is_up(service, now, down_time)


def hosts_up(tx: Connection, hosts: Collection[str], now: datetime, down_time: float) -> list[str]:
    """Name those of some hosts whose compute service counts as alive."""
    found = ROWS.all(tx.execute(_computes_on, {"hosts": list(hosts)}))
    return [service.host for service in found if is_up(service, now, down_time)]


def _found(service: Service | None, asked: int | str) -> Service:
    if service is None:
        raise errors.ServiceNotFound(service_id=asked)
    return service
