"""Lists of instances: every filter that the API has, as SQL, and pages of what is left; and which ran in a period.

The api calls it.  It knows columns, and nothing of query parameters, policies and
microversions: who may use which filter is the api's to say.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, String, and_, cast, exists, func, not_, or_, select

from mininova import states
from mininova.db import expressions
from mininova.db.instances import ROWS
from mininova.db.models import instance_tags, ports
from mininova.db.models import instances as table
from mininova.db.pages import Sort, page
from mininova.objects import Instance

LATEST_FIRST = (("created_at", "desc"),)
BY_PROJECT = (("project_id", "asc"), ("uuid", "asc"))


class InstanceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the instances of a list have in common; a field left at None asks for nothing.

    Some fields hold the very value, others a regular expression that matches any part of it, as in Nova.

    :param uuids: it is one of these; likewise ``vm_states``, and ``task_states``, in which None stands for no task
    :param deleted: False leaves deleted ones out, and soft-deleted ones unless ``vm_states`` has them; True lists no
        others
    :param launched_at: it was launched in this second; likewise ``created_at`` and ``terminated_at``
    :param changes_since: it changed last at this moment or later; likewise ``changes_before``
    :param ip: an expression that an IPv4 address of it matches; likewise ``ip6``
    :param tags: it has all of these tags
    :param tags_any: it has one of these tags at least
    :param not_tags: it lacks one of these tags at least
    :param not_tags_any: it has none of these tags
    """

    # the very value
    project_id: str | None = None
    user_id: str | None = None
    host: str | None = None
    flavor_id: str | None = None
    image_ref: str | None = None
    deleted: bool | None = False
    locked: bool | None = None
    config_drive: bool | None = None
    # a regular expression
    reservation_id: str | None = None
    power_state: str | None = None
    progress: str | None = None
    launch_index: str | None = None
    display_name: str | None = None
    display_description: str | None = None
    hostname: str | None = None
    node: str | None = None
    availability_zone: str | None = None
    key_name: str | None = None
    locked_by: str | None = None
    root_device_name: str | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    ip: str | None = None
    ip6: str | None = None
    # something else
    uuids: Collection[str] | None = None
    vm_states: Collection[str] | None = None
    task_states: Collection[str | None] | None = None
    created_at: datetime | None = None
    launched_at: datetime | None = None
    terminated_at: datetime | None = None
    changes_since: datetime | None = None
    changes_before: datetime | None = None
    tags: Collection[str] | None = None
    tags_any: Collection[str] | None = None
    not_tags: Collection[str] | None = None
    not_tags_any: Collection[str] | None = None


def search(
    tx: Connection,
    wanted: InstanceFilter,
    *,
    limit: int | None = None,
    marker: str | None = None,
    sort: Sort = LATEST_FIRST,
) -> list[Instance]:
    """List the instances that pass a filter.

    :param limit: how many at most; None means all
    :param marker: the uuid of the last one of the page before; only its project needs to be that of the filter still
    :raises errors.InvalidInput: when there is no such marker, a column to sort by is none, or an expression is wrong
    """
    query = ROWS.select.where(*_conditions(wanted))
    # Whose marker is another project's must not learn from the answer that it is there.
    among = None if wanted.project_id is None else table.c.project_id == wanted.project_id
    return ROWS.all(tx.execute(page(tx, query, table.c.uuid, sort=sort, marker=marker, among=among, limit=limit)))


def ran_between(
    tx: Connection,
    beginning: datetime,
    end: datetime,
    *,
    project_id: str | None = None,
    limit: int | None = None,
    marker: str | None = None,
) -> list[Instance]:
    """List the instances, deleted ones too, that were there in a period, project by project.

    :param project_id: only those of it
    :param limit: how many at most; None means all
    :param marker: the uuid of the last one of the page before
    :raises errors.InvalidInput: when there is no such marker, or it is another project's
    """
    query = ROWS.select.where(
        or_(table.c.terminated_at.is_(None), table.c.terminated_at > beginning), table.c.launched_at < end
    )
    own = None if project_id is None else table.c.project_id == project_id
    if own is not None:
        query = query.where(own)
    return ROWS.all(tx.execute(page(tx, query, table.c.uuid, sort=BY_PROJECT, marker=marker, among=own, limit=limit)))


# ---- what each field of the filter says in SQL

Condition = Callable[[Any], ColumnElement[bool]]


def _equals(column: Column[Any]) -> Condition:
    return lambda value: column == value


def _matches(column: ColumnElement[Any], name: str) -> Condition:
    return partial(expressions.matching, column, name)


def _within_second(column: Column[Any]) -> Condition:
    return lambda moment: and_(column >= moment, column < moment + timedelta(seconds=1))


def _has_address(version: int) -> Condition:
    matches = _matches(ports.c.address, "ip" if version == 4 else "ip6")
    is_v6 = ports.c.address.contains(":")
    own = and_(ports.c.instance_uuid == table.c.uuid, is_v6 if version == 6 else not_(is_v6))
    return lambda expression: exists().where(own, matches(expression))


def _has_any(tags: Collection[str]) -> ColumnElement[bool]:
    return exists().where(instance_tags.c.instance_uuid == table.c.uuid, instance_tags.c.tag.in_(list(tags)))


def _has_all(tags: Collection[str]) -> ColumnElement[bool]:
    """Count those that it has: a condition for each tag that a user names would be too many."""
    wanted = set(tags)
    own = and_(instance_tags.c.instance_uuid == table.c.uuid, instance_tags.c.tag.in_(wanted))
    return select(func.count()).where(own).scalar_subquery() == len(wanted)


EQUAL = (
    "project_id", "user_id", "host", "flavor_id", "image_ref", "deleted", "locked", "config_drive",
)  # fmt: skip
MATCHING = (
    "reservation_id", "display_name", "display_description", "hostname", "node", "availability_zone", "key_name",
    "locked_by", "root_device_name", "access_ip_v4", "access_ip_v6",
)  # fmt: skip
CONDITIONS: dict[str, Condition] = {
    **{name: _equals(table.c[name]) for name in EQUAL},
    **{name: _matches(table.c[name], name) for name in MATCHING},
    **{name: _matches(cast(table.c[name], String), name) for name in ("power_state", "progress", "launch_index")},
    **{name: _within_second(table.c[name]) for name in ("created_at", "launched_at", "terminated_at")},
    "ip": _has_address(4),
    "ip6": _has_address(6),
    "uuids": lambda uuids: table.c.uuid.in_(list(uuids)),
    "vm_states": lambda names: table.c.vm_state.in_(list(names)),
    "task_states": lambda names: func.coalesce(table.c.task_state, "").in_([name or "" for name in names]),
    "changes_since": lambda moment: table.c.updated_at >= moment,
    "changes_before": lambda moment: table.c.updated_at <= moment,
    "tags": _has_all,
    "tags_any": _has_any,
    "not_tags": lambda tags: not_(_has_all(tags)),
    "not_tags_any": lambda tags: not_(_has_any(tags)),
}


def _conditions(wanted: InstanceFilter) -> list[ColumnElement[bool]]:
    asked = {name: getattr(wanted, name) for name in CONDITIONS}
    conditions = [CONDITIONS[name](value) for name, value in asked.items() if value is not None]
    if wanted.deleted is False and not wanted.vm_states:
        conditions.append(table.c.vm_state != states.SOFT_DELETED)
    return conditions
