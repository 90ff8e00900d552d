"""Instances: how their rows are made, read, changed and marked deleted.

``update`` is the heart of the control plane's order: one statement that changes a row only if it is still as the
caller read it.  Only the api and the conductor call this; lists with filters are in instance_search.py.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import (
    BindParameter,
    Connection,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
)

from mininova import errors, states
from mininova.db import quotas
from mininova.db.models import instance_actions, instance_tags, quota_sets
from mininova.db.models import instances as table
from mininova.db.rows import Rows
from mininova.objects import Flavor, Instance
from mininova.states import UNCOMPARED, Uncompared

ALL = 2**31 - 1  # more than there can be

ROWS = Rows(Instance, table)
LIVE = table.c.deleted == false()
WITHOUT_HOST = (LIVE, table.c.host.is_(None), table.c.task_state.in_((states.SCHEDULING, states.UNSHELVING)))
# What the scheduler may claim room for: a build, and what goes from one host to another; and that while it is under
# way for the request that the scheduler was asked for.  A late copy of its call is one for an operation that has ended.
_MOVES = table.c.task_state.in_((states.RESIZE_PREP, states.MIGRATING, states.REBUILDING))
_UNDER_WAY = exists().where(
    instance_actions.c.instance_uuid == table.c.uuid,
    instance_actions.c.request_id == bindparam("request_id"),
    instance_actions.c.due_at.is_not(None),
)
WAITS_FOR_ROOM = and_(or_(and_(*WITHOUT_HOST), and_(LIVE, _MOVES)), _UNDER_WAY)

# What edit() writes: what its owner says of an instance, and what is no part of its state.
EDITABLE = frozenset({
    "display_name", "display_description", "hostname", "metadata", "tags", "access_ip_v4", "access_ip_v6",
    "disk_config", "requested_zone", "locked", "locked_by", "locked_reason",
})  # fmt: skip
# What update() does not: who it is and whose, and the copies of what other tables hold.
UNCHANGEABLE = frozenset({"uuid", "project_id", "user_id", "generation", "addresses", "tags", "created_at"})
CHANGEABLE = frozenset(Instance.__struct_fields__) - UNCHANGEABLE | {"user_data"}

_insert = insert(table)
# The first of several instances is made of its project's row, which is held from then on (db/quotas.py).
_turn = (quota_sets.c.project_id == bindparam("project"), quota_sets.c.user_id == quotas.OF_PROJECT)
_new = [*ROWS.columns, table.c.flavor_id, table.c.user_data, table.c.security_groups]
_insert_in_turn = (
    insert(table)
    .from_select(
        _new, select(*(bindparam(f"new_{it.name}", type_=it.type) for it in _new)).where(*_turn).with_for_update()
    )
    .execution_options(preserve_rowcount=True)
)
_live = ROWS.one.where(LIVE)
_among = table.c.uuid.in_(bindparam("uuids", expanding=True))
_many = ROWS.select.where(_among, LIVE)
_after = (table.c.host == bindparam("host"), table.c.uuid > bindparam("marker"))
_on_host = ROWS.select.where(*_after).order_by(table.c.uuid).limit(bindparam("most"))
_by_host = _on_host.where(LIVE)
_by_hosts = ROWS.select.where(table.c.host.in_(bindparam("hosts", expanding=True)), LIVE).order_by(table.c.id)
_active_by_host = _on_host.where(LIVE | (table.c.terminated_at >= bindparam("since")))
_waiting_for_room = select(table.c.uuid).where(ROWS.which, WAITS_FOR_ROOM)
_without_host = select(table.c.uuid, table.c.generation).where(_among, *WITHOUT_HOST)
_all_groups = select(table.c.uuid, table.c.security_groups).where(_among)
_groups, _locked_groups = _all_groups.where(table.c.security_groups.is_not(None)), _all_groups.with_for_update()
_aside = sqlalchemy.update(table).where(ROWS.which)  # what is no part of what is read of an instance
_user_data = select(table.c.uuid, table.c.user_data).where(_among, table.c.user_data.is_not(None))
_password = select(table.c.password).where(ROWS.which)
_tell_password = _aside.where(LIVE, table.c.password.is_(None))
_edit = sqlalchemy.update(table).where(ROWS.which, LIVE)
_change = _edit.values(generation=table.c.generation + 1)
_end_delete = _change.where(table.c.host == bindparam("if_host"), table.c.task_state == states.DELETING)
_untag = delete(instance_tags).where(instance_tags.c.instance_uuid == bindparam("uuid"))


def create(
    tx: Connection,
    instances: Sequence[Instance],
    user_data: str | None = None,
    security_groups: Sequence[str] | None = None,
) -> list[Instance]:
    """Insert the rows of new instances of one project, and give the instances with the moment of it in them.

    From then on the transaction has the project's turn (db/quotas.py).

    :param user_data: base64, the same for each of them; only ``user_data()`` reads it back
    :param security_groups: the ids of those that were asked for; None means the project's default one
    """
    now = datetime.now(UTC)
    born = [instance.replace(created_at=instance.created_at or now, updated_at=now) for instance in instances]
    others = {"user_data": user_data, "security_groups": security_groups}
    first, *more = (ROWS.values(it) | others | {"flavor_id": it.flavor.flavor_id} for it in born)
    _begin(tx, first)
    if more:
        tx.execute(_insert, more)
    _tag(tx, {instance.uuid: instance.tags for instance in born})
    return born


def _begin(tx: Connection, row: Mapping[str, Any]) -> None:
    """Insert an instance in its project's turn; the first of a project begins the turns."""
    values = {f"new_{name}": value for name, value in row.items()} | {"project": row["project_id"]}
    if not tx.execute(_insert_in_turn, values).rowcount:
        quotas.begin(tx, row["project_id"])
        tx.execute(_insert, row)


def get(
    tx: Connection,
    uuid: str,
    *,
    project_id: str | None = None,
    hosts: Collection[str | None] | None = None,
    deleted: bool = False,
    lock: bool = False,
) -> Instance:
    """Read one instance.

    :param project_id: whose it must be; None means any project's
    :param hosts: on one of which it must be; None means anywhere
    :param deleted: find it even if it was deleted
    :param lock: let no other transaction change it before this one ends
    :raises errors.InstanceNotFound: when there is none, or none of this project or on these hosts
    """
    query = ROWS.one if deleted else _live
    instance = ROWS.first(tx.execute(query.with_for_update() if lock else query, {"which": uuid}))
    if instance is None or project_id not in (None, instance.project_id):
        raise errors.InstanceNotFound(instance_uuid=uuid)
    if hosts is not None and instance.host not in hosts:
        raise errors.InstanceNotFound(instance_uuid=uuid)
    return instance


def get_many(tx: Connection, uuids: Sequence[str]) -> list[Instance]:
    """Read several instances, in the order asked for; those that are gone are left out."""
    found = {instance.uuid: instance for instance in ROWS.all(tx.execute(_many, {"uuids": list(uuids)}))}
    return [found[uuid] for uuid in uuids if uuid in found]


def without_host(tx: Connection, uuids: Sequence[str]) -> dict[str, int]:
    """Name those of some instances that wait for a host, and tell the generation of each."""
    return {row.uuid: row.generation for row in tx.execute(_without_host, {"uuids": list(uuids)})}


def waiting_for_room(tx: Connection, uuid: str, request_id: str) -> bool:
    """Tell whether an instance waits for the scheduler, for what this request asked."""
    return tx.execute(_waiting_for_room, {"which": uuid, "request_id": request_id}).first() is not None


def user_data(tx: Connection, uuids: Sequence[str]) -> dict[str, str]:
    """Read what the guests of these instances are given at their first boot, in base64; many are given nothing."""
    return {row.uuid: row.user_data for row in tx.execute(_user_data, {"uuids": list(uuids)})}


def security_groups(tx: Connection, uuids: Sequence[str], *, lock: bool = False) -> dict[str, tuple[str, ...]]:
    """Read which security groups these instances asked for; one that is missing, for its project's default one.

    Those that they have are the ports' to say (ports.py).

    :param lock: let no other transaction change them before this one ends
    """
    rows = tx.execute(_locked_groups if lock else _groups, {"uuids": list(uuids)})
    return {row.uuid: row.security_groups for row in rows if row.security_groups is not None}


def set_security_groups(tx: Connection, uuid: str, ids: Sequence[str] | None) -> None:
    """Give an instance other security groups; None means the project's default one."""
    tx.execute(_aside, {"which": uuid, "security_groups": ids})


def password(tx: Connection, uuid: str) -> str:
    """Read the password that an instance's guest told, encrypted for its owner; "" where it told none."""
    return tx.execute(_password, {"which": uuid}).scalar() or ""


def tell_password(tx: Connection, uuid: str, password: str) -> bool:
    """Keep the password that a guest tells, unless it told one before; tell which."""
    return tx.execute(_tell_password, {"which": uuid, "password": password}).rowcount > 0


def clear_password(tx: Connection, uuid: str) -> None:
    """Forget the password that a guest told."""
    tx.execute(_aside, {"which": uuid, "password": None})


def list_by_host(
    tx: Connection, host: str, *, active_since: datetime | None = None, marker: str = "", limit: int = ALL
) -> list[Instance]:
    """Read the instances that are on a host, sorted by their uuids.

    :param active_since: also those that were deleted then or later
    :param marker: only those whose uuids come after it
    :param limit: how many at most
    """
    which = {"host": host, "marker": marker, "most": limit}
    if active_since is None:
        return ROWS.all(tx.execute(_by_host, which))
    return ROWS.all(tx.execute(_active_by_host, {**which, "since": active_since}))


def list_by_hosts(tx: Connection, hosts: Collection[str]) -> dict[str, list[Instance]]:
    """Read the instances that are on each of some hosts, in one query."""
    found: dict[str, list[Instance]] = {host: [] for host in hosts}
    for instance in ROWS.all(tx.execute(_by_hosts, {"hosts": list(hosts)})):
        found[instance.host or ""].append(instance)
    return found


def edit(tx: Connection, uuid: str, **columns: Any) -> Instance:
    """Write what its owner says of an instance (``EDITABLE``), also while an operation changes it.

    :raises errors.InstanceNotFound: when there is none
    """
    _refuse_others(columns, EDITABLE)
    instance = ROWS.update(tx, _edit, {**columns, "updated_at": datetime.now(UTC), "which": uuid})
    if instance is None:
        raise errors.InstanceNotFound(instance_uuid=uuid)
    if "tags" in columns:
        tx.execute(_untag, {"uuid": uuid})
        _tag(tx, {uuid: instance.tags})
    return instance


def update(
    tx: Connection,
    uuid: str,
    changes: Mapping[str, object],
    *,
    generation: int | Uncompared,
    expected_task_state: Sequence[str | None] | Uncompared,
    host: str | Uncompared | None = UNCOMPARED,
    seen: Instance | Uncompared = UNCOMPARED,
    known: Instance | None = None,
) -> Instance:
    """Compare and swap: write the changes if the row is as the caller believes, and count its generation up.

    What is UNCOMPARED may be anything.

    :param generation: the row's, as the caller last saw it
    :param expected_task_state: the row's must be one of these
    :param host: where the row must say that the instance is
    :param seen: the row must have its vm_state and task_state, which a host may have made up
    :param known: the row as the database gave it, or as it was written, in this generation: if it is so still, it is
        not read again
    :raises errors.InstanceNotFound: when there is none, or it is on another host
    :raises errors.InstanceBeingDeleted: when the row differs, because the instance is being deleted
    :raises errors.InstanceUpdateConflict: when the row differs; nothing was written
    """
    _refuse_others(changes, CHANGEABLE)
    values: dict[str, object] = {**changes, "updated_at": datetime.now(UTC), "which": uuid}
    if isinstance(flavor := changes.get("flavor"), Flavor):
        values["flavor_id"] = flavor.flavor_id
    if generation is not UNCOMPARED:
        values["if_generation"] = generation
    if host is not UNCOMPARED:
        values["if_host"] = host
    if seen is not UNCOMPARED:
        values |= {"if_vm_state": seen.vm_state, "if_task_state": seen.task_state or ""}
    states_compared = None
    if expected_task_state is not UNCOMPARED:
        states_compared = len(expected_task_state)
        values |= {f"if_task_state_{n}": state or "" for n, state in enumerate(expected_task_state)}
    compared = tuple(it is not UNCOMPARED for it in (generation, host, seen))
    statement = _compare_and_swap(*compared, states_compared)
    if known is not None and known.generation == generation:
        unless_edited = {**values, "if_updated_at": known.updated_at}
        if tx.execute(_unless_edited(statement), unless_edited).rowcount:
            written = {name: _as_read(values[name]) for name in (*changes, "updated_at")}
            return known.replace(**written, generation=known.generation + 1)
    instance = ROWS.update(tx, statement, values)
    if instance is None:
        raise _refusal(get(tx, uuid, hosts=None if host is UNCOMPARED else (host,)), generation, expected_task_state)
    return instance


def done_already(tx: Connection, instance: Instance, changes: Mapping[str, object]) -> Instance | None:
    """Find out whether a change that is refused now is the very one that was made last; give the row if it is.

    For a caller that may ask again because it did not hear the answer.  Where two callers may want the same change,
    as with two users who stop one server, only one of them must have it: that is not for this function.

    :param instance: as the caller last saw it
    """
    row = get(tx, instance.uuid)
    same = row.host == instance.host and all(getattr(row, name) == value for name, value in changes.items())
    return row if same and row.generation == instance.generation + 1 else None


def destroy(
    tx: Connection, uuid: str, terminated_at: datetime | None = None, *, host: str | Uncompared = UNCOMPARED
) -> Instance | None:
    """Mark an instance deleted, without an address, and give it; None when it was so before.

    :param terminated_at: when its guest ended; None means now
    :param host: on which it must be, and be in ``deleting``; UNCOMPARED compares neither
    :raises errors.InstanceNotFound: when it is elsewhere, or was when it was deleted
    :raises errors.InstanceUpdateConflict: when its delete was not asked for; nothing was written
    """
    now = datetime.now(UTC)
    ends = {"deleted": True, "vm_state": states.DELETED, "task_state": None, "updated_at": now, "deleted_at": now}
    values = {**ends, "terminated_at": terminated_at or now, "addresses": (), "which": uuid}
    if host is UNCOMPARED:
        return ROWS.update(tx, _change, values)
    gone = ROWS.update(tx, _end_delete, {**values, "if_host": host})
    if gone is not None:
        return gone
    row = get(tx, uuid, hosts=(host,), deleted=True)
    if row.vm_state != states.DELETED:
        raise _refusal(row, UNCOMPARED, (states.DELETING,))
    return None


@cache
def _compare_and_swap(generation: bool, host: bool, seen: bool, task_states: int | None) -> Update:
    """Build the UPDATE that compares what is asked for; its SET has the columns that the parameters name.

    :param task_states: how many are acceptable, "" standing for none; None does not compare
    """
    statement = _change
    if generation:
        statement = statement.where(table.c.generation == bindparam("if_generation"))
    if host:
        statement = statement.where(table.c.host.is_not_distinct_from(bindparam("if_host")))
    if seen:
        statement = statement.where(table.c.vm_state == bindparam("if_vm_state"))
        statement = statement.where(func.coalesce(table.c.task_state, "") == bindparam("if_task_state"))
    if task_states is not None:
        acceptable: list[BindParameter[str]] = [bindparam(f"if_task_state_{n}") for n in range(task_states)]
        statement = statement.where(func.coalesce(table.c.task_state, "").in_(acceptable))
    return statement


@cache
def _unless_edited(statement: Update) -> Update:
    """Compare also what ``edit`` changes beside the columns."""
    return statement.where(table.c.updated_at == bindparam("if_updated_at"))


def _as_read(value: object) -> object:
    """Give what is written as a SELECT would give it: a moment in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _refusal(
    actual: Instance, generation: int | Uncompared, expected: Sequence[str | None] | Uncompared
) -> errors.InstanceUpdateConflict:
    """Say how the row differs from what the caller read."""
    unexpected = expected is not UNCOMPARED and actual.task_state not in expected
    being_deleted = unexpected and actual.task_state == states.DELETING
    complaint = errors.InstanceBeingDeleted if being_deleted else errors.InstanceUpdateConflict
    return complaint(
        instance_uuid=actual.uuid,
        expected=None if expected is UNCOMPARED else list(expected),
        generation=UNCOMPARED if generation is UNCOMPARED else generation,
        actual_task_state=actual.task_state,
        actual_generation=actual.generation,
        actual_host=actual.host,
    )


def _tag(tx: Connection, tags: Mapping[str, Sequence[str]]) -> None:
    """Write the rows that instances are found by their tags with."""
    rows = [{"instance_uuid": uuid, "tag": tag} for uuid, its_tags in tags.items() for tag in its_tags]
    if rows:
        tx.execute(insert(instance_tags), rows)


def _refuse_others(columns: Mapping[str, object], allowed: frozenset[str]) -> None:
    if not columns.keys() <= allowed:
        raise TypeError(f"not to be written here: {', '.join(sorted(columns.keys() - allowed))}")
