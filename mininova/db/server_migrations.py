"""Migrations: how far an instance has come on its way from one host to another.

The conductor writes them, each time in the transaction that changes the instance, and an instance has one open
migration at most.  While it is open both hosts keep room: what the instance has on the host that it comes from is
promised to the migration, by its uuid, and what it is to have on the other to the instance itself.  ``settle`` ends
this: the instance keeps its room where it is by then, and no other.

On the other host a guest may be left: that host may be down.  ``left_on`` names it until it has said that there is none
(docs/adr/0017); of an evacuation that was done, its status says so, too.
"""

import uuid as uuids
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, case, false, insert, or_, select, true, update

from mininova import states
from mininova.db import claims
from mininova.db.models import instances
from mininova.db.models import migrations as table
from mininova.db.networks import MOST_DEPARTED
from mininova.db.pages import page
from mininova.db.rows import Rows
from mininova.objects import Flavor, Instance, Migration, Retry

FINISHED, CONFIRMED, ERROR, FAILED = "finished", "confirmed", "error", "failed"
DONE, COMPLETED = "done", "completed"
# The first status of each type of migration.
FIRST = {
    "resize": "pre-migrating",
    "migration": "pre-migrating",
    "live-migration": "accepted",
    "evacuation": "accepted",
}


class MigrationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A migration as it is listed: itself, and what the database knows of it beside."""

    id: int
    uuid: str
    instance_uuid: str
    user_id: str
    project_id: str
    migration_type: str
    status: str
    old_flavor: Flavor
    new_flavor: Flavor
    source_compute: str
    source_node: str
    dest_compute: str | None
    dest_node: str | None
    created_at: datetime
    updated_at: datetime


ROWS, RECORDS = Rows(Migration, table), Rows(MigrationRecord, table)

_is_open = table.c.is_open == true()
_open_of = ROWS.select.where(table.c.instance_uuid == bindparam("instance"), _is_open)
_update = update(table).where(ROWS.which)
_retry = select(table.c.retry).where(ROWS.which)
_host: BindParameter[str] = bindparam("host")
_on_host = select(table.c.instance_uuid).where(
    _is_open, or_(table.c.source_compute == _host, table.c.dest_compute == _host)
)
_open = ROWS.select.where(_is_open)
_left = table.c.left_on == _host
_left_guests = select(table.c.instance_uuid).where(_left).distinct().limit(MOST_DEPARTED)
_change_left = update(table).where(_left)
_forget_host = _change_left.values(left_on=None, status=case((table.c.status == DONE, COMPLETED), else_=table.c.status))
_cleared = _forget_host.where(table.c.instance_uuid.in_(bindparam("guests", expanding=True)))
_unconfirmed = (
    select(table.c.instance_uuid)
    .join(instances, instances.c.uuid == table.c.instance_uuid)
    .where(_is_open, table.c.status == FINISHED, table.c.updated_at <= bindparam("until"))
    .where(instances.c.vm_state == states.RESIZED, instances.c.task_state.is_(None), instances.c.deleted == false())
)


def begin(
    tx: Connection, instance: Instance, migration_type: str, new_flavor: Flavor, retry: Retry, rests: str
) -> Migration:
    """Write a migration down that begins, and promise it the room that the instance has.

    :param retry: names the hosts that it may not go to
    :param rests: the vm_state in which the instance is to be at last
    """
    migration = Migration(
        uuid=str(uuids.uuid4()),
        instance_uuid=instance.uuid,
        migration_type=migration_type,
        status=FIRST[migration_type],
        old_vm_state=rests,
        old_flavor=instance.flavor,
        new_flavor=new_flavor,
        source_compute=instance.host or "",
        source_node=instance.node or "",
        source_zone=instance.availability_zone or "",
    )
    now = datetime.now(UTC)
    whose = {"user_id": instance.user_id, "project_id": instance.project_id}
    others = {"is_open": True, "retry": retry, "created_at": now, "updated_at": now}
    tx.execute(insert(table), ROWS.values(migration) | whose | others)
    claims.hand_over(tx, instance.uuid, migration.uuid)
    return migration


def of_instance(tx: Connection, uuid: str) -> Migration | None:
    """Read the open migration of an instance; most have none."""
    return ROWS.first(tx.execute(_open_of, {"instance": uuid}))


def retry_of(tx: Connection, migration: Migration) -> Retry:
    """Tell to which hosts a migration may not go, and how it failed on the last of them."""
    return Retry() if (found := tx.execute(_retry, {"which": migration.uuid}).scalar()) is None else found


def record(tx: Connection, migration: Migration, **more: object) -> Migration:
    """Write down how far a migration is now, in place of what was written before.

    :param more: other columns
    """
    tx.execute(_update, {**ROWS.values(migration), **more, "updated_at": datetime.now(UTC), "which": migration.uuid})
    return migration


def settle(tx: Connection, instance: Instance, status: str | None = None) -> Migration | None:
    """End the open migration of an instance, if it has one: the instance keeps its room where it is, and no other.

    :param status: what became of the migration; None says it by how far it had come
    """
    migration = of_instance(tx, instance.uuid)
    if migration is None:
        return None
    if is_at_dest(migration, instance):
        claims.free(tx, migration.uuid)
    elif claims.of_instance(tx, migration.uuid) is not None:
        claims.free(tx, instance.uuid)
        claims.hand_over(tx, migration.uuid, instance.uuid)
    became = status or (CONFIRMED if migration.status == FINISHED else broken(migration))
    ended, left_on = migration.replace(status=became, step=None), other_host(migration, instance)
    return record(tx, ended, is_open=False, left_on=left_on)


def left_on(tx: Connection, host: str) -> list[str]:
    """Name instances that left a host, or were to come there, and of which guests may be left."""
    return list(tx.execute(_left_guests, {"host": host}).scalars())


def cleared(tx: Connection, host: str, uuids: Sequence[str]) -> None:
    """Take note that a host has no guest of these instances any more."""
    tx.execute(_cleared, {"host": host, "guests": list(uuids)})


def forget_host(tx: Connection, host: str) -> None:
    """Take note that a host is gone for good, says an operator, and no guest is left there."""
    tx.execute(_forget_host, {"host": host})


def broken(migration: Migration | None) -> str:
    """Give the status of a migration that goes wrong: an evacuation for which a host was found has another one."""
    evacuates = migration is not None and migration.migration_type == "evacuation" and migration.step is not None
    return FAILED if evacuates else ERROR


def forget(tx: Connection, uuid: str) -> None:
    """End the open migration of an instance that is gone, and free the room that it kept."""
    migration = of_instance(tx, uuid)
    if migration is not None:
        claims.free(tx, migration.uuid)
        record(tx, migration.replace(status=ERROR, step=None), is_open=False)


def search(
    tx: Connection,
    asked: Mapping[str, str],
    *,
    limit: int | None = None,
    marker: str | None = None,
    changes_since: datetime | None = None,
    changes_before: datetime | None = None,
) -> list[MigrationRecord]:
    """List migrations, the latest first.

    :param asked: columns and what they must be; ``host`` is the one that an instance comes from, or the other
    :param marker: the uuid of the last one of the page before
    :raises errors.InvalidInput: when no migration has the marker
    """
    query = RECORDS.select
    for name, value in asked.items():
        if name == "host":
            query = query.where(or_(table.c.source_compute == value, table.c.dest_compute == value))
        else:
            query = query.where(table.c[name] == value)
    if changes_since is not None:
        query = query.where(table.c.updated_at >= changes_since)
    if changes_before is not None:
        query = query.where(table.c.updated_at <= changes_before)
    query = page(tx, query, table.c.uuid, sort=(("created_at", "desc"),), marker=marker, limit=limit)
    return RECORDS.all(tx.execute(query))


def numbered(tx: Connection, instance_uuid: str, number: str) -> MigrationRecord | None:
    """Find a migration of an instance by its number, as a URL says it."""
    return next((it for it in search(tx, {"instance_uuid": instance_uuid}) if str(it.id) == number), None)


def is_at_dest(migration: Migration, instance: Instance) -> bool:
    """Tell whether an instance is where its migration leads; where both are one host, its flavor tells."""
    there = (migration.dest_compute, migration.new_flavor.flavor_id)
    return (instance.host, instance.flavor.flavor_id) == there


def other_host(migration: Migration, instance: Instance) -> str | None:
    """Name the host of a migration on which its instance is not; None where both are one."""
    hosts = {migration.source_compute, migration.dest_compute} - {instance.host, None}
    return next(iter(hosts), None)


def on_host(tx: Connection, host: str) -> list[str]:
    """Name the instances that come from a host, or go there."""
    return list(tx.execute(_on_host, {"host": host}).scalars())


def all_open(tx: Connection) -> Sequence[Migration]:
    """List the open migrations."""
    return ROWS.all(tx.execute(_open))


def unconfirmed_before(tx: Connection, until: datetime) -> list[str]:
    """Name the instances that were resized at this moment already, and neither confirmed nor reverted since."""
    return list(tx.execute(_unconfirmed, {"until": until}).scalars())
