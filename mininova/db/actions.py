"""Actions: what was asked of an instance, by whom, and how each step of it went.

An action is the record of one request to one instance.  It is open from the transaction that accepts the request to
the one that ends it, and an instance has one open action at most.  So the service that ends an operation
ends the open action, without knowing the request.  While it is open, it is what a conductor goes on from when a message
was lost (db/open_operations.py).

An action's events are its steps.  The api and the conductor write all of this, each in the transaction that changes
the instance; the api shows it.  The names are Nova's (docs/adr/0014).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, bindparam, false, func, insert, select, update

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import unneeded_images
from mininova.db.models import instance_action_events as event_table
from mininova.db.models import instance_actions as table
from mininova.db.models import instances
from mininova.db.pages import page
from mininova.db.rows import Rows
from mininova.objects import NO_ARGUMENTS, Arguments, Instance

# The step of an operation that its host does; those of states.MIGRATIONS have theirs in conductor/steps.py.
ON_HOST: Mapping[str, str] = {
    "build": "compute__do_build_and_run_instance",
    "stop": "compute_stop_instance",
    "start": "compute_start_instance",
    "reboot": "compute_reboot_instance",
    "hard_reboot": "compute_reboot_instance",
    "pause": "compute_pause_instance",
    "unpause": "compute_unpause_instance",
    "suspend": "compute_suspend_instance",
    "resume": "compute_resume_instance",
    "rescue": "compute_rescue_instance",
    "unrescue": "compute_unrescue_instance",
    "rebuild": "compute_rebuild_instance",
    "change_password": "compute_set_admin_password",
    "snapshot": "compute_snapshot_instance",
    "backup": "compute_backup_instance",
    "shelve": "compute_shelve_instance",
    "shelve_offload": "compute_shelve_offload_instance",
    "unshelve": "compute_unshelve_instance",
    "soft_delete": "compute_soft_delete_instance",
    "restore": "compute_restore_instance",
    "delete": "compute_terminate_instance",
}
# The step with which an action ends that no host works on: one that reached none, a delete that needs none.
WITHOUT_HOST: Mapping[str, str] = {
    "create": "conductor_schedule_and_build_instances",
    "unshelve": "conductor_unshelve_instance",
    "delete": "api__local_delete",
    "resize": "conductor_migrate_server",
    "migrate": "conductor_migrate_server",
    "confirmResize": "compute_confirm_resize",
    "revertResize": "compute_revert_resize",
    "live-migration": "conductor_live_migrate_instance",
    "evacuate": "rebuild_server",
}

SUCCESS, ERROR = "Success", "Error"


class ActionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an action.

    :param result: SUCCESS or ERROR; None while it goes on
    :param traceback: what went wrong, for administrators
    """

    event: str
    host: str | None
    start_time: datetime
    finish_time: datetime | None = None
    result: str | None = None
    traceback: str | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One request to one instance.

    :param message: ERROR when a step of it went wrong
    :param finish_time: None while it is open
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


ROWS = Rows(Action, table, key="instance_uuid")
EVENTS = Rows(ActionEvent, event_table, key="id")

_is_open = table.c.finish_time.is_(None)
_this = (ROWS.which, table.c.request_id == bindparam("request"))
_steps = event_table.join(table, table.c.id == event_table.c.action_id)

_insert = insert(table)
_insert_event = insert(event_table)
_start_event = _insert_event.from_select(
    ["action_id", "event", "host", "start_time"],
    select(
        table.c.id,
        bindparam("step", type_=event_table.c.event.type),
        bindparam("on_host", type_=event_table.c.host.type),
        bindparam("now", type_=event_table.c.start_time.type),
    ).where(ROWS.which, _is_open),
)
_open = select(table.c.id, table.c.action).where(ROWS.which, _is_open)
_arguments = select(table.c.arguments).where(ROWS.which, _is_open)
_open_id = select(func.max(table.c.id)).where(ROWS.which, _is_open).scalar_subquery()
_update = update(table).where(ROWS.which, _is_open)
_end_events = (
    update(event_table)
    .where(event_table.c.action_id == _open_id, event_table.c.finish_time.is_(None))
    .execution_options(preserve_rowcount=True)
)
_update_this = update(table).where(*_this, _is_open)
_end_events_of = update(event_table).where(
    event_table.c.action_id.in_(select(table.c.id).where(*_this)), event_table.c.finish_time.is_(None)
)
_get = ROWS.select.where(*_this).order_by(table.c.id.desc()).limit(1)
_events = select(*EVENTS.columns).select_from(_steps).where(*_this).order_by(event_table.c.id.desc())
_ended = (
    select(func.max(table.c.finish_time))
    .where(table.c.instance_uuid == instances.c.uuid, table.c.operation == bindparam("after"))
    .scalar_subquery()
)
# The few that rest so are found first, and then when each came to.
_at_rest = (
    select(instances.c.uuid)
    .where(instances.c.vm_state == bindparam("rest"), instances.c.task_state.is_(None), instances.c.deleted == false())
    .where(_ended <= bindparam("until"))
    .order_by(instances.c.id)
)
_latest_shelving = (
    select(table.c.arguments)
    .where(table.c.instance_uuid == instances.c.uuid, table.c.operation == "shelve")
    .order_by(table.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_on_volumes = (
    select(instances.c.uuid)
    .where(instances.c.vm_state == states.SHELVED, instances.c.task_state.is_(None), instances.c.deleted == false())
    .where(_latest_shelving.is_(None))
    .order_by(instances.c.id)
)
_shelved = (
    select(table.c.arguments).where(ROWS.which, table.c.operation == "shelve").order_by(table.c.id.desc()).limit(1)
)
_hosts = select(event_table.c.host).select_from(_steps).where(ROWS.which, event_table.c.host.is_not(None)).distinct()


# ---- an operation, from its first transaction to its last


def start(
    tx: Connection,
    ctxt: RequestContext,
    begun: Sequence[Instance],
    operation: str,
    host: str | None = None,
    *,
    arguments: Arguments = NO_ARGUMENTS,
    due_after: float,
) -> None:
    """Record that a request asks an operation of each of these instances; one that it may interrupt ends here.

    :param begun: as the first step of the operation has left them
    :param host: where it begins at once
    :param arguments: what the operation is asked with
    :param due_after: seconds after which a conductor looks whether it has moved on
    """
    action = states.OPERATIONS[operation].action
    if states.OPERATIONS[operation].over != frozenset():
        for instance in begun:
            interrupt(tx, instance.uuid, f"{action} ({ctxt.request_id})")
    now = datetime.now(UTC)
    asked = None if arguments is NO_ARGUMENTS else arguments
    due = {
        "operation": operation, "context": ctxt, "arguments": asked, "due_at": now + timedelta(seconds=due_after),
    }  # fmt: skip
    rows = [_row(ctxt, each.uuid, action, now) | due | {"generation": each.generation} for each in begun]
    tx.execute(_insert, rows)
    if host is not None:
        for instance in begun:
            event_start(tx, instance.uuid, ON_HOST[operation], host)


def event_start(tx: Connection, uuid: str, event: str, host: str) -> None:
    """Record that a step of an instance's open action begins; nothing if there is none."""
    tx.execute(_start_event, {"which": uuid, "step": event, "on_host": host, "now": datetime.now(UTC)})


def event_fail(tx: Connection, uuid: str, reason: str) -> None:
    """Record that the step under way went wrong, if there is one, and the action with it, which stays open."""
    now = datetime.now(UTC)
    if _end_step(tx, uuid, now, reason):
        tx.execute(_update, {"which": uuid, "updated_at": now, "message": ERROR})


def event_end(tx: Connection, uuid: str) -> None:
    """Record that the step under way went well; the action stays open for the next one."""
    _end_step(tx, uuid, datetime.now(UTC), None)


def finish(tx: Connection, uuid: str, error: str | None = None) -> None:
    """Record that the open action of an instance has ended, and the step under way with it; nothing if there is none.

    Nothing needs an image that an operation made which went wrong.

    :param error: what went wrong; None when it ended well
    """
    now = datetime.now(UTC)
    if error is not None:
        for asked in tx.execute(_arguments, {"which": uuid}).scalars():
            if asked is not None and asked.makes:
                unneeded_images.note(tx, asked.makes)
    if not _end_step(tx, uuid, now, error):
        for action_id, action in tx.execute(_open, {"which": uuid}).all():
            if action in WITHOUT_HOST:
                tx.execute(_insert_event, _whole_step(action_id, WITHOUT_HOST[action], now, error))
    said = {} if error is None else {"message": ERROR}
    tx.execute(_update, {"which": uuid, "updated_at": now, "finish_time": now, "due_at": None, **said})


def interrupt(tx: Connection, uuid: str, by: str) -> None:
    """Record that something else has ended what was being done to an instance, if anything was."""
    if tx.execute(_open, {"which": uuid}).first():
        finish(tx, uuid, f"interrupted by {by}")


def record(tx: Connection, ctxt: RequestContext, uuid: str, action: str, step: str | None) -> None:
    """Record an action that is done when it is accepted: its start, its one step and its end.

    :param step: its name; None where Nova has none
    """
    now = datetime.now(UTC)
    row = {**_row(ctxt, uuid, action, now), "finish_time": now}
    for action_id in tx.execute(_insert, row).inserted_primary_key or ():
        if step is not None:
            tx.execute(_insert_event, _whole_step(action_id, step, now, None))


def begin(tx: Connection, ctxt: RequestContext, uuid: str, action: str, step: str, host: str) -> None:
    """Record an action that is no operation of states.OPERATIONS, and its one step on a host, until ``end``."""
    now = datetime.now(UTC)
    for action_id in tx.execute(_insert, _row(ctxt, uuid, action, now)).inserted_primary_key or ():
        tx.execute(_insert_event, {"action_id": action_id, "event": step, "host": host, "start_time": now})


def end(tx: Connection, uuid: str, request_id: str, error: str | None = None) -> None:
    """Record that what a request began has ended; nothing if it had.

    :param error: what went wrong; None when it ended well
    """
    now, this = datetime.now(UTC), {"which": uuid, "request": request_id}
    tx.execute(_end_events_of, {**this, "finish_time": now, **_outcome(error)})
    said = {} if error is None else {"message": ERROR}
    tx.execute(_update_this, {**this, "updated_at": now, "finish_time": now, **said})


# ---- reads


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


def at_rest_since(tx: Connection, operation: str, until: datetime) -> list[str]:
    """Name the instances that rest where an operation has left them, and did so at this moment already."""
    (rest,) = states.OPERATIONS[operation].ends
    return list(tx.execute(_at_rest, {"after": operation, "rest": rest, "until": until}).scalars())


def shelved_on_volumes(tx: Connection) -> list[str]:
    """Name the instances that rest shelved on their hosts, and of which no image was made."""
    return list(tx.execute(_on_volumes).scalars())


def shelved_image(tx: Connection, uuid: str) -> str:
    """Name the image that the latest shelving of an instance made; "" when it never was shelved."""
    asked = tx.execute(_shelved, {"which": uuid}).scalar()
    return asked.makes if asked is not None else ""


def hosts(tx: Connection, uuid: str) -> set[str]:
    """Name the hosts on which a step of any action of an instance was begun; a deleted instance keeps them."""
    return set(tx.execute(_hosts, {"which": uuid}).scalars())


# ---- small parts


def _row(ctxt: RequestContext, uuid: str, action: str, now: datetime) -> dict[str, object]:
    return {
        "instance_uuid": uuid,
        "action": action,
        "request_id": ctxt.request_id,
        "user_id": ctxt.user_id,
        "project_id": ctxt.project_id,
        "start_time": now,
        "updated_at": now,
        "tries": 0,
    }


def _end_step(tx: Connection, uuid: str, now: datetime, error: str | None) -> bool:
    """End the step of the open action that is under way; tell whether there was one."""
    return tx.execute(_end_events, {"which": uuid, "finish_time": now, **_outcome(error)}).rowcount > 0


def _whole_step(action_id: int, event: str, now: datetime, error: str | None) -> dict[str, object]:
    return {"action_id": action_id, "event": event, "start_time": now, "finish_time": now, **_outcome(error)}


def _outcome(error: str | None) -> dict[str, str | None]:
    return {"result": SUCCESS if error is None else ERROR, "traceback": error}
