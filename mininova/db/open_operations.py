"""Open operations: what was accepted and has not ended, and when a conductor looks at it again.

An operation is a row of its instance's actions (db/actions.py), written in the transaction that makes its first change
and closed in the one that makes its last.  So no operation is lost with a message: an open one is due some time, and
``take`` gives it to one conductor.  The conductor's sweeper knows how to go on with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, exists, func, select, true, update

from mininova.context import RequestContext
from mininova.db.models import block_devices, instances, migrations
from mininova.db.models import instance_actions as table
from mininova.db.rows import Rows
from mininova.objects import Arguments


class OpenOperation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that has not ended.

    :param operation: its name in states.OPERATIONS
    :param generation: the instance's, when it was last looked at
    :param context: of the request that asked for it
    :param arguments: what it was asked with; None stands for none
    :param due_at: when it is to be looked at again
    :param tries: how often it was found where it had been
    """

    id: int
    instance_uuid: str
    operation: str
    generation: int
    context: RequestContext
    arguments: Arguments | None
    due_at: datetime
    tries: int


class Ending(NamedTuple):
    """An instance whose operation is about to end.

    :param context: of the request that asked for it; None when there is none
    :param migrates: whether it has an open migration
    :param has_volumes: whether it has volumes, which are to be free
    """

    vm_state: str
    context: RequestContext | None
    migrates: bool
    has_volumes: bool


ROWS = Rows(OpenOperation, table, key="instance_uuid")

_is_open = table.c.due_at.is_not(None)
_migration = (migrations.c.instance_uuid == bindparam("which"), migrations.c.is_open == true())
_volumes = (block_devices.c.instance_uuid == bindparam("which"),)
_context = select(table.c.context).where(ROWS.which, _is_open)
_ending = (
    select(instances.c.vm_state, table.c.context, exists().where(*_migration), exists().where(*_volumes))
    .outerjoin_from(instances, table, (table.c.instance_uuid == instances.c.uuid) & _is_open)
    .where(instances.c.uuid == bindparam("which"))
)
_of = ROWS.one.where(_is_open).order_by(table.c.id.desc()).limit(1)
_due = ROWS.select.where(table.c.due_at <= bindparam("now")).order_by(table.c.due_at).limit(bindparam("most"))
_take = (
    update(table)
    .where(table.c.id == bindparam("which"), table.c.due_at == bindparam("if_due_at"))
    .values(due_at=bindparam("until"), generation=bindparam("seen"), tries=bindparam("tried"))
    .execution_options(preserve_rowcount=True)
)
_at_work = (
    select(instances.c.host, func.count().label("operations"))
    .join_from(table, instances, instances.c.uuid == table.c.instance_uuid)
    .where(_is_open, table.c.operation.in_(bindparam("operations", expanding=True)), instances.c.host.is_not(None))
    .group_by(instances.c.host)
)
_hurry = update(table).where(table.c.due_at > bindparam("latest")).values(due_at=bindparam("latest"))


def context_of(tx: Connection, uuid: str) -> RequestContext | None:
    """Read the context of the request whose operation is under way; None when none is."""
    return tx.execute(_context, {"which": uuid}).scalar()


def ending(tx: Connection, uuid: str) -> Ending | None:
    """Read how an instance is before its operation ends; None when there is no such instance."""
    found = tx.execute(_ending, {"which": uuid}).first()
    return None if found is None else Ending(*found)


def at_work(tx: Connection, operations: Sequence[str]) -> dict[str, int]:
    """Count on each host the instances to which one of these operations is done."""
    return {row.host: row.operations for row in tx.execute(_at_work, {"operations": list(operations)})}


def of(tx: Connection, uuid: str) -> OpenOperation | None:
    """Read what is being done to an instance; None when nothing is."""
    return ROWS.first(tx.execute(_of, {"which": uuid}))


def due(tx: Connection, now: datetime, most: int) -> Sequence[OpenOperation]:
    """List what is due, the longest due first."""
    return ROWS.all(tx.execute(_due, {"now": now, "most": most}))


def take(tx: Connection, operation: OpenOperation, *, seen: int, tries: int, until: datetime) -> bool:
    """Put an operation off that is due; False when another conductor has, or when it has ended.

    :param seen: the generation that its instance has now
    :param until: when it is due again
    """
    values = {"which": operation.id, "if_due_at": operation.due_at, "seen": seen, "tried": tries, "until": until}
    return tx.execute(_take, values).rowcount == 1


def hurry(tx: Connection, latest: datetime) -> None:
    """Have all open operations be due at this moment, unless they are due before."""
    tx.execute(_hurry, {"latest": latest})
