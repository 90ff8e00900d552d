"""Host aggregates: hosts that an administrator has brought together, what is said of them, and the zone they make.

The metadata ``availability_zone`` of an aggregate puts its hosts into that zone.  A host is in one zone: two aggregates
that name different ones cannot both have it, and a host with instances does not change its zone.  A scheduler reads
what is said in the compute nodes (db/aggregate_metadata.py).  Only the api calls this, in one transaction a request.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, false, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db import aggregate_metadata
from mininova.db.generations import changed
from mininova.db.models import aggregate_hosts, instances, services
from mininova.db.models import aggregates as table
from mininova.db.rows import Rows, insert_new

ZONE = "availability_zone"


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """Some hosts.

    :param metadata: what an administrator says of them
    :param hosts: in the order of their names
    """

    name: str
    id: int = 0
    uuid: str = ""
    metadata: dict[str, str] = {}
    hosts: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def zone(self) -> str | None:
        """The zone that its hosts are in."""
        return self.metadata.get(ZONE)


ROWS = Rows(Aggregate, table, key="id")

_hosts = select(aggregate_hosts.c.aggregate_id, aggregate_hosts.c.host).order_by(aggregate_hosts.c.host)
_update = update_of(table).where(ROWS.which)
_of_these: BindParameter[str] = bindparam("hosts", expanding=True)
_on_these = (services.c.host.in_(_of_these), services.c.topic == "compute")
_zone = update_of(services).where(*_on_these)
_reported = _zone.values(aggregate_zone=None)
_zone_of = select(services.c.host, services.c.availability_zone).where(*_on_these)
_others = (
    select(aggregate_hosts.c.host, table.c.metadata)
    .join(aggregate_hosts, aggregate_hosts.c.aggregate_id == table.c.id)
    .where(aggregate_hosts.c.host.in_(_of_these), table.c.id != bindparam("but"))
)
_with_instances = (
    select(instances.c.host).where(instances.c.host.in_(_of_these), instances.c.deleted == false()).distinct()
)


# ---- reads


def search(tx: Connection) -> list[Aggregate]:
    """List all aggregates, in the order in which they were made."""
    hosts: dict[int, list[str]] = {}
    for aggregate_id, host in tx.execute(_hosts):
        hosts.setdefault(aggregate_id, []).append(host)
    found = ROWS.all(tx.execute(ROWS.select.order_by(table.c.id)))
    return [msgspec.structs.replace(it, hosts=tuple(hosts.get(it.id, ()))) for it in found]


def get(tx: Connection, aggregate_id: int) -> Aggregate:
    """Read one aggregate.

    :raises errors.AggregateNotFound: when there is none
    """
    aggregate = ROWS.first(tx.execute(ROWS.one, {"which": aggregate_id}))
    if aggregate is None:
        raise errors.AggregateNotFound(aggregate_id=aggregate_id)
    own = tx.execute(_hosts.where(aggregate_hosts.c.aggregate_id == aggregate_id))
    return msgspec.structs.replace(aggregate, hosts=tuple(host for _, host in own))


# ---- what an administrator changes


def create(tx: Connection, name: str, zone: str | None) -> Aggregate:
    """Make an aggregate without hosts.

    :raises errors.AggregateNameExists: when there is one of this name
    """
    said = {} if zone is None else {ZONE: zone}
    new = Aggregate(name=name, uuid=str(uuid4()), metadata=said, created_at=datetime.now(UTC))
    if not insert_new(tx, insert(table), ROWS.values(new)):
        raise errors.AggregateNameExists(name=name)
    made = tx.execute(select(table.c.id).where(table.c.uuid == new.uuid)).scalar_one()
    return get(tx, made)


def rename(tx: Connection, aggregate: Aggregate, name: str) -> Aggregate:
    """Give an aggregate another name.

    :raises errors.AggregateNameExists: when another one has it
    """
    if any(other.name == name and other.id != aggregate.id for other in search(tx)):
        raise errors.AggregateNameExists(name=name)
    return _write(tx, aggregate, name=name)


def describe(tx: Connection, aggregate: Aggregate, said: Mapping[str, str | None]) -> Aggregate:
    """Say more of an aggregate's hosts, and put them into another zone if that is said.

    :param said: a value of None removes the key
    :raises errors.InvalidAggregateAction: when a host cannot be in that zone
    """
    whole = {**aggregate.metadata, **said}
    metadata = {key: value for key, value in whole.items() if value is not None}
    zone = metadata.get(ZONE)
    if zone != aggregate.zone:
        _move(tx, aggregate, aggregate.hosts, zone, "update aggregate")
    written = _write(tx, aggregate, metadata=metadata)
    aggregate_metadata.write(tx, aggregate.hosts)
    return written


def add_host(tx: Connection, aggregate: Aggregate, host: str) -> Aggregate:
    """Put a host into an aggregate, and into its zone if it makes one.

    :raises errors.AggregateHostExists: when it is there
    :raises errors.ComputeHostNotFound: when no compute of this name has registered
    :raises errors.InvalidAggregateAction: when it cannot be in the aggregate's zone
    """
    if tx.execute(_zone_of, {"hosts": [host]}).first() is None:
        raise errors.ComputeHostNotFound(host=host)
    if host in aggregate.hosts:
        raise errors.AggregateHostExists(aggregate_id=aggregate.id, host=host)
    if aggregate.zone is not None:
        _move(tx, aggregate, [host], aggregate.zone, "add host to aggregate")
    tx.execute(insert(aggregate_hosts), {"aggregate_id": aggregate.id, "host": host})
    return _write_with(tx, aggregate, host)


def remove_host(tx: Connection, aggregate: Aggregate, host: str) -> Aggregate:
    """Take a host out of an aggregate; from its next heartbeat on it is in the zone that it reports.

    :raises errors.AggregateHostNotFound: when it is not there
    :raises errors.InvalidAggregateAction: when it has instances in the aggregate's zone
    """
    if host not in aggregate.hosts:
        raise errors.AggregateHostNotFound(aggregate_id=aggregate.id, host=host)
    if aggregate.zone is not None:
        _move(tx, aggregate, [host], None, "remove host from aggregate")
    own = aggregate_hosts.c.aggregate_id == aggregate.id
    tx.execute(delete_from(aggregate_hosts).where(own, aggregate_hosts.c.host == host))
    return _write_with(tx, aggregate, host)


def delete(tx: Connection, aggregate: Aggregate) -> None:
    """Forget an aggregate.

    :raises errors.InvalidAggregateAction: when it has hosts
    """
    if aggregate.hosts:
        reason = "Host aggregate is not empty"
        raise errors.InvalidAggregateAction(
            f"Cannot remove host from aggregate {aggregate.id}. Reason: {reason}."  # Nova's words
        )
    tx.execute(delete_from(table).where(table.c.id == aggregate.id))


# ---- small parts


def _write(tx: Connection, aggregate: Aggregate, **columns: object) -> Aggregate:
    tx.execute(_update, {**columns, "updated_at": datetime.now(UTC), "which": aggregate.id})
    return get(tx, aggregate.id)


def _write_with(tx: Connection, aggregate: Aggregate, host: str) -> Aggregate:
    """Note that a host has come or gone, and with it what the aggregate says of it."""
    aggregate_metadata.write(tx, [host])
    return _write(tx, aggregate)


def _move(tx: Connection, aggregate: Aggregate, hosts: Collection[str], zone: str | None, action: str) -> None:
    """Put hosts into a zone, or back into those that they report.

    :raises errors.InvalidAggregateAction: when another aggregate puts one elsewhere, or one has instances in another
        zone
    """
    elsewhere = _zones_of(tx, hosts, but=aggregate.id)
    if zone is None:  # the other aggregates keep some where they are
        tx.execute(_reported, {"hosts": [host for host in hosts if not elsewhere[host]]})
        return
    now = {row.host: row.availability_zone for row in tx.execute(_zone_of, {"hosts": hosts})}
    used = set(tx.execute(_with_instances, {"hosts": [host for host in hosts if now.get(host) != zone]}).scalars())
    for host in hosts:
        reason = "One or more hosts contain instances in this zone" if host in used else ""
        if others := elsewhere[host] - {zone}:
            reason = f"Host {host} already in availability zone '{min(others)}'"
        if reason:
            raise errors.InvalidAggregateAction(action=action, aggregate_id=aggregate.id, reason=reason)
    tx.execute(_zone, {"aggregate_zone": zone, "availability_zone": zone, "hosts": hosts})
    changed(tx, *hosts)


def _zones_of(tx: Connection, hosts: Collection[str], but: int) -> dict[str, set[str]]:
    """Name the zones into which aggregates put each of some hosts, apart from one aggregate."""
    zones: dict[str, set[str]] = {host: set() for host in hosts}
    for host, metadata in tx.execute(_others, {"hosts": hosts, "but": but}):
        zones[host] |= {metadata[ZONE]} if ZONE in metadata else set()
    return zones
