"""Quotas: the limits that an administrator set, and what a project uses, counted from its instances.

What it counts stays true for a transaction that has the project's *turn*: it holds the project's row in quota_sets, so
that others who would use more wait until it ends.  Making instances takes the turn by itself (db/instances.py).  On
SQLite a transaction that writes has every turn.

The limits of the configuration, and what follows from all of them, are in mininova/api/quotas.py.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    String,
    Text,
    bindparam,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects import mysql

from mininova import states
from mininova.db.models import instance_actions, instances, migrations, quota_classes, quota_sets
from mininova.db.rows import insert_new
from mininova.objects import Arguments, Flavor

DEFAULT_CLASS = "default"
OF_PROJECT = ""  # the user of the row that a project has itself
COUNTED = ("instances", "cores", "ram")

Limits = dict[str, int]


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded for a project and one user in it, and what they use.

    :param defaults: the limits of the default class
    :param project: the limits that were set for the project
    :param user: the limits that were set for the user in it
    :param used: what the project uses, as far as it was counted
    :param used_by_user: what the user does
    """

    defaults: Limits = {}
    project: Limits = {}
    user: Limits = {}
    used: Limits
    used_by_user: Limits


_own = (quota_sets.c.project_id == bindparam("project"),)
_default_class = quota_classes.c.name == DEFAULT_CLASS
_of_project = instances.c.project_id == bindparam("project")
# An instance that may be restored uses nothing until that begins, as in Nova.
USING = (
    instances.c.deleted == false(),
    or_(instances.c.vm_state != states.SOFT_DELETED, instances.c.task_state == states.RESTORING),
)


def _rows(kind: str, user: Any, what: Any, number: Any) -> Select[Any]:
    return select(literal_column(f"'{kind}'", String), user, type_coerce(what, Text), number)


def _growth(kind: str, flavor: Any, *where: Any) -> Select[Any]:
    """Give a row for each instance that is to have another flavor: that one, and below it the one that it has."""
    both = type_coerce(flavor, Text).concat(literal_column("'\n'", Text)).concat(type_coerce(instances.c.flavor, Text))
    return _rows(kind, instances.c.user_id, both, literal_column("1")).where(_of_project, *USING, *where)


_recorded = union_all(
    _rows("class", literal_column("''", String), quota_classes.c.limits, literal_column("0")).where(_default_class),
    _rows("set", quota_sets.c.user_id, quota_sets.c.limits, literal_column("0")).where(
        *_own, quota_sets.c.user_id.in_([literal_column("''"), bindparam("user", type_=String)])
    ),
)
_used = union_all(
    _rows("use", instances.c.user_id, instances.c.flavor, func.count())
    .where(_of_project, *USING)
    .group_by(instances.c.user_id, instances.c.flavor),
    # Until a resize or its revert has ended, the row has the flavor from before.
    _growth(
        "resize",
        instance_actions.c.arguments,
        instance_actions.c.instance_uuid == instances.c.uuid,
        instance_actions.c.due_at.is_not(None),
        instance_actions.c.operation == "resize",
    ),
    _growth(
        "revert",
        migrations.c.old_flavor,
        migrations.c.instance_uuid == instances.c.uuid,
        migrations.c.is_open == true(),
        instances.c.task_state == states.RESIZE_REVERTING,
    ),
)
_turn = select(quota_sets.c.limits).where(*_own, quota_sets.c.user_id == bindparam("user")).with_for_update()
_insert = insert(quota_sets)
_update = update(quota_sets).where(*_own, quota_sets.c.user_id == bindparam("user"))
_users = select(quota_sets.c.user_id, quota_sets.c.limits).where(*_own, quota_sets.c.user_id != OF_PROJECT)
_class = select(quota_classes.c.limits).where(quota_classes.c.name == bindparam("which"))
_limits, _flavor = msgspec.json.Decoder(Limits).decode, msgspec.json.Decoder(Flavor).decode
_arguments = msgspec.json.Decoder(Arguments).decode


def read(tx: Connection, project_id: str, user_id: str = OF_PROJECT, *, count: bool = True) -> Quotas:
    """Read the limits that hold for a project and a user, and what they use.

    :param count: count it in any case; else only if a limit was set, since that takes longer the more they have
    """
    whose = {"project": project_id, "user": user_id}
    limits = {f"{kind} {user}": _limits(what) for kind, user, what, _ in tx.execute(_recorded, whose)}
    used, by_user = dict.fromkeys(COUNTED, 0), dict.fromkeys(COUNTED, 0)
    for kind, user, what, number in tx.execute(_used, whose) if count or any(limits.values()) else ():
        added = _counted(kind, what)
        _add(used, added, number)
        if user == user_id:
            _add(by_user, added, number)
    return Quotas(
        defaults=limits.get("class ", {}),
        project=limits.get(f"set {OF_PROJECT}", {}),
        user=limits.get(f"set {user_id}", {}) if user_id else {},
        used=used,
        used_by_user=by_user,
    )


def _counted(kind: str, text: str) -> Limits:
    """Tell what a row adds to what is used."""
    if kind == "use":
        return uses(_flavor(text))
    wanted, present = text.split("\n")
    asked = _arguments(wanted).flavor if kind == "resize" else _flavor(wanted)
    return growth(_flavor(present), asked or _flavor(present))


def _add(used: Limits, added: Limits, number: int) -> None:
    for name, each in added.items():
        used[name] += number * each


def growth(before: Flavor, after: Flavor) -> Limits:
    """Tell what an instance uses more with another flavor; what it uses less of, it uses until then."""
    had, has = uses(before), uses(after)
    return {name: max(has[name] - had[name], 0) for name in COUNTED}


def uses(flavor: Flavor) -> Limits:
    """Tell what one instance of a flavor uses."""
    return {"instances": 1, "cores": flavor.vcpus, "ram": flavor.memory_mb}


# ---- whose turn it is


def take_turn(tx: Connection, project_id: str, user_id: str = OF_PROJECT) -> Limits:
    """Wait until no other has the turn of a project, or of a user in it, and give the limits that were set."""
    whose = {"project": project_id, "user": user_id}
    held = tx.execute(_turn, whose).scalar()
    return held if held is not None else begin(tx, project_id, user_id)


def begin(tx: Connection, project_id: str, user_id: str = OF_PROJECT) -> Limits:
    """Make the row of a project or of a user in it, which has no limits yet, and so take the turn.

    Several may do so at once.
    """
    row: dict[str, Any] = {"project_id": project_id, "user_id": user_id, "limits": {}}
    if tx.dialect.name in ("mysql", "mariadb"):
        # An INSERT that meets the row of another would share a lock on it, and two of those wait for each other.
        tx.execute(_upsert(), row)
    else:
        insert_new(tx, _insert, row)
    return dict(tx.execute(_turn, {"project": project_id, "user": user_id}).scalar_one())


@cache
def _upsert() -> Any:
    return mysql.insert(quota_sets).on_duplicate_key_update(user_id=quota_sets.c.user_id)


# ---- what an administrator sets


def record(tx: Connection, project_id: str, user_id: str, limits: Mapping[str, int]) -> None:
    """Set limits of a project, or of a user in it; the others stay."""
    held = take_turn(tx, project_id, user_id)
    tx.execute(_update, {"project": project_id, "user": user_id, "limits": {**held, **limits}})


def of_users(tx: Connection, project_id: str) -> dict[str, Limits]:
    """Read the limits that were set for each user of a project."""
    return {user: limits for user, limits in tx.execute(_users, {"project": project_id}) if limits}


def forget(tx: Connection, project_id: str, user_id: str = OF_PROJECT) -> None:
    """Forget the limits of a user in a project, or those of the project and all of its users."""
    take_turn(tx, project_id, user_id)
    if user_id == OF_PROJECT:
        others = delete_from(quota_sets).where(*_own, quota_sets.c.user_id != OF_PROJECT)
        tx.execute(others, {"project": project_id})
    tx.execute(_update, {"project": project_id, "user": user_id, "limits": {}})


def of_class(tx: Connection, name: str) -> Limits:
    """Read the limits of a class."""
    return tx.execute(_class, {"which": name}).scalar() or {}


def record_class(tx: Connection, name: str, limits: Mapping[str, int]) -> None:
    """Set limits of a class; the others stay."""
    if not insert_new(tx, insert(quota_classes), {"name": name, "limits": dict(limits)}):
        held = dict(tx.execute(_class.with_for_update(), {"which": name}).scalar_one())
        tx.execute(
            update(quota_classes).where(quota_classes.c.name == bindparam("which")),
            {"which": name, "limits": {**held, **limits}},
        )
