"""Actions: what was asked of an instance, by whom, and how each step of it went.

An action is one request to one instance; its events are the steps that the services report.  The api starts actions
and shows them; the conductor reports and finishes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from mininova import errors
from mininova.context import RequestContext
from mininova.db.models.compute import instance_action_events as event_table
from mininova.db.models.compute import instance_actions as table
from mininova.db.pages import page
from mininova.db.rows import Rows


class ActionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an action.

    :param result: ``Success`` or ``Error``; None while it goes on
    """

    event: str
    host: str | None
    start_time: datetime
    finish_time: datetime | None = None
    result: str | None = None
    traceback: str | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One request to one instance.

    :param message: ``Error``, or more words, when it went wrong
    :param events: its steps, the latest first; only ``get`` reads them
    """

    instance_uuid: str
    action: str
    request_id: str
    user_id: str | None
    project_id: str | None
    start_time: datetime
    updated_at: datetime
    message: str | None = None
    finish_time: datetime | None = None
    events: tuple[ActionEvent, ...] = ()


LONGEST = 255  # characters of a message

ROWS = Rows(Action, table, key="instance_uuid")
EVENTS = Rows(ActionEvent, event_table, key="id")

_this = (ROWS.which, table.c.request_id == bindparam("request"))
_steps = event_table.join(table, table.c.id == event_table.c.action_id)

_insert = insert(table)
_update = update(table).where(*_this)
_get = ROWS.select.where(*_this).order_by(table.c.id.desc()).limit(1)
_start_event = (
    insert(event_table)
    .from_select(
        ["action_id", "event", "host", "start_time"],
        select(
            table.c.id,
            bindparam("step", type_=event_table.c.event.type),
            bindparam("on_host", type_=event_table.c.host.type),
            bindparam("now", type_=event_table.c.start_time.type),
        )
        .where(*_this)
        .order_by(table.c.id.desc())
        .limit(1),
    )
    .execution_options(preserve_rowcount=True)
)
_events = select(*EVENTS.columns).select_from(_steps).where(*_this).order_by(event_table.c.id.desc())
_hosts = select(event_table.c.host).select_from(_steps).where(ROWS.which, event_table.c.host.is_not(None)).distinct()
_last_event = (
    select(event_table.c.id)
    .select_from(_steps)
    .where(*_this, event_table.c.event == bindparam("step"))
    .order_by(event_table.c.id.desc())
    .limit(1)
)
_finish_event = update(event_table).where(event_table.c.id == bindparam("which"))


def start(tx: Connection, ctxt: RequestContext, instance_uuids: Sequence[str], action: str) -> None:
    """Record that the context's request asks an action of each of these instances."""
    now = datetime.now(UTC)
    row = {
        "action": action,
        "request_id": ctxt.request_id,
        "user_id": ctxt.user_id,
        "project_id": ctxt.project_id,
        "start_time": now,
        "updated_at": now,
    }
    tx.execute(_insert, [{"instance_uuid": uuid, **row} for uuid in instance_uuids])


def finish(tx: Connection, uuid: str, request_id: str, message: str | None = None) -> None:
    """Record that an action has ended.

    :param message: what went wrong; None leaves what an event may have said
    """
    now = datetime.now(UTC)
    said = {} if message is None else {"message": message[:LONGEST]}
    tx.execute(_update, {"finish_time": now, "updated_at": now, **said, "which": uuid, "request": request_id})


def event_start(tx: Connection, uuid: str, request_id: str, event: str, host: str | None) -> bool:
    """Record that a step of an action begins; tell whether there is such an action."""
    values = {"step": event, "on_host": host, "now": datetime.now(UTC), "which": uuid, "request": request_id}
    return tx.execute(_start_event, values).rowcount > 0


def event_finish(
    tx: Connection, uuid: str, request_id: str, event: str, result: str, traceback: str | None = None
) -> bool:
    """Record how a step of an action ended; an ``Error`` marks the action too.  Tell whether there is such a step.

    :param traceback: for administrators only
    """
    this = {"which": uuid, "request": request_id}
    last = tx.execute(_last_event, {"step": event, **this}).scalar()
    if last is None:
        return False
    now = datetime.now(UTC)
    tx.execute(_finish_event, {"finish_time": now, "result": result, "traceback": traceback, "which": last})
    said = {"message": result} if result == "Error" else {}
    tx.execute(_update, {"updated_at": now, **said, **this})
    return True


def search(
    tx: Connection,
    uuid: str,
    *,
    limit: int | None = None,
    marker: str | None = None,
    changes_since: datetime | None = None,
    changes_before: datetime | None = None,
) -> list[Action]:
    """List the actions of an instance, the latest first, without their events.

    :param marker: the request_id of the last one of the page before
    :raises errors.InvalidInput: when the instance has no such action
    """
    own = table.c.instance_uuid == uuid
    query = ROWS.select.where(own)
    if changes_since is not None:
        query = query.where(table.c.updated_at >= changes_since)
    if changes_before is not None:
        query = query.where(table.c.updated_at <= changes_before)
    latest_first = (("start_time", "desc"),)
    query = page(tx, query, table.c.request_id, sort=latest_first, marker=marker, among=own, limit=limit)
    return ROWS.all(tx.execute(query))


def get(tx: Connection, uuid: str, request_id: str) -> Action:
    """Read one action and its events.

    :raises errors.ActionNotFound: when the request asked nothing of this instance
    """
    this = {"which": uuid, "request": request_id}
    action = ROWS.first(tx.execute(_get, this))
    if action is None:
        raise errors.ActionNotFound(request_id=request_id, instance_uuid=uuid)
    return msgspec.structs.replace(action, events=tuple(EVENTS.all(tx.execute(_events, this))))


def hosts(tx: Connection, uuid: str) -> set[str]:
    """Name the hosts on which a step of any action of an instance was begun, that of an instance which is gone, too."""
    return set(tx.execute(_hosts, {"which": uuid}).scalars())
