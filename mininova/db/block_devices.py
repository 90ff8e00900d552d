"""Which instance has which volume: one row from before the volume is reserved until after it is free again.

The volume service keeps an attachment of its own, in another database perhaps, so no transaction holds both.  The row
is the truth.  It is written before the volume service is asked for anything, and changed after that has answered; so
the volume service has no attachment without a row.  A row whose request was lost half-way is due, and a conductor
ends it (service/attachments.py).

While a process asks the volume service for a volume, the row says ``reserving``, and is due when that process must have
ended.  Until then no conductor ends it, though its instance may be gone: what is asked for meanwhile would be left
over.  What an instance boots with has no moment of its own: its build is an operation that a conductor takes up.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Update, and_, bindparam, exists, false, insert, or_, true
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db.models import block_devices as table
from mininova.db.models import instances
from mininova.db.rows import Rows, insert_new
from mininova.objects import BlockDevice, BlockDeviceMapping

RESERVING, ATTACHING, ATTACHED, DETACHING = "reserving", "attaching", "attached", "detaching"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A row.

    :param status: of the four above
    :param context: of the request that asked for what is done now
    :param due_at: when a conductor looks whether that goes on; None while nothing is done
    :param asked: what the boot of the instance asked for; None for what was attached later
    """

    uuid: str
    instance_uuid: str
    volume_id: str
    attachment_id: str
    device_name: str
    tag: str | None = None
    delete_on_termination: bool = False
    status: str = RESERVING
    context: RequestContext
    due_at: datetime | None = None
    created_at: datetime
    asked: BlockDeviceMapping | None = None

    @property
    def is_root(self) -> bool:
        """Whether the instance boots from it."""
        return self.asked is not None and self.asked.is_root

    @property
    def is_there(self) -> bool:
        """Whether there is such a volume, and it is not still to be made."""
        return self.asked is None or not self.asked.makes_volume or self.status in (ATTACHED, DETACHING)

    @property
    def device(self) -> BlockDevice:
        """What a host is told of it."""
        return BlockDevice(**{name: getattr(self, name) for name in BlockDevice.__struct_fields__})


ROWS = Rows(Recorded, table)

_of = (
    ROWS.select.where(table.c.instance_uuid.in_(bindparam("uuids", expanding=True)))
    .order_by(table.c.created_at, table.c.uuid)
)  # fmt: skip
_this = ROWS.select.where(table.c.instance_uuid == bindparam("instance"), table.c.volume_id == bindparam("volume"))
_of_volume = ROWS.select.where(table.c.volume_id == bindparam("volume"))
_turn = (
    update_of(table)
    .where(ROWS.which, table.c.status == bindparam("was"))
    .values(status=bindparam("becomes"), due_at=bindparam("due"), context=bindparam("asked_by"))
    .execution_options(preserve_rowcount=True)
)
_put_off = (
    update_of(table)
    .where(ROWS.which, table.c.due_at == bindparam("if_due_at"))
    .values(due_at=bindparam("until"))
    .execution_options(preserve_rowcount=True)
)
_is_alive = exists().where(instances.c.uuid == table.c.instance_uuid, instances.c.deleted == false())
_accept = _turn.where(_is_alive)
_say = update_of(table).where(ROWS.which).values(delete_on_termination=bindparam("said"))
_delete = delete_from(table).where(ROWS.which).execution_options(preserve_rowcount=True)
_never_built = and_(
    instances.c.vm_state == states.ERROR, instances.c.task_state.is_(None), instances.c.launched_at.is_(None)
)
_left = (
    ROWS.select.outerjoin_from(table, instances, instances.c.uuid == table.c.instance_uuid)
    .where(or_(instances.c.deleted == true(), instances.c.uuid.is_(None), _never_built))
    .where(or_(table.c.status != RESERVING, table.c.due_at <= bindparam("now")))
    .limit(bindparam("most"))
)
_due = ROWS.select.where(table.c.due_at <= bindparam("now")).order_by(table.c.due_at).limit(bindparam("most"))
_follow = (
    update_of(table)
    .where(table.c.instance_uuid == bindparam("instance"), table.c.status == ATTACHED)
    .values(due_at=bindparam("due"))
)
_hurry = update_of(table).where(table.c.due_at > bindparam("latest")).values(due_at=bindparam("latest"))


def begin(
    tx: Connection, ctxt: RequestContext, instance_uuid: str, volume_id: str, device_name: str, *,
    tag: str | None, delete_on_termination: bool, due_after: float | None, asked: BlockDeviceMapping | None = None,
) -> Recorded:  # fmt: skip
    """Record that an instance is to get a volume.

    :param due_after: seconds that the caller needs at most to reserve it; None when the build reserves it
    :param asked: what the boot of the instance asked for
    :raises errors.InvalidVolume: when it has it already
    """
    now = datetime.now(UTC)
    made = Recorded(
        uuid=str(uuid4()), instance_uuid=instance_uuid, volume_id=volume_id, attachment_id=str(uuid4()),
        device_name=device_name, tag=tag, delete_on_termination=delete_on_termination, context=ctxt, asked=asked,
        status=ATTACHING if due_after is None else RESERVING, due_at=_due_at(due_after, now), created_at=now,
    )  # fmt: skip
    if not insert_new(tx, insert(table), ROWS.values(made)):
        raise errors.InvalidVolume(reason=f"volume {volume_id} is already attached to instances: {instance_uuid}")
    return made


def of(tx: Connection, uuids: Collection[str]) -> Sequence[Recorded]:
    """List what instances have, are to get, or are to lose, the oldest first."""
    return ROWS.all(tx.execute(_of, {"uuids": list(uuids)}))


def by_instance(tx: Connection, uuids: Collection[str]) -> dict[str, list[Recorded]]:
    """List what instances have, are to get, or are to lose, by their uuids."""
    found: dict[str, list[Recorded]] = {}
    for it in of(tx, uuids):
        found.setdefault(it.instance_uuid, []).append(it)
    return found


def of_volume(tx: Connection, volume_id: str) -> Sequence[Recorded]:
    """List which instances have a volume, are to get it, or are to lose it."""
    return ROWS.all(tx.execute(_of_volume, {"volume": volume_id}))


def get(tx: Connection, uuid: str) -> Recorded | None:
    """Read a row; None when it is gone."""
    return ROWS.first(tx.execute(ROWS.one, {"which": uuid}))


def find(tx: Connection, instance_uuid: str, volume_id: str) -> Recorded:
    """Find what an instance has of a volume.

    :raises errors.BlockDeviceNotFound: when it has nothing of it
    """
    found = ROWS.first(tx.execute(_this, {"instance": instance_uuid, "volume": volume_id}))
    if found is None:
        raise errors.BlockDeviceNotFound(volume_id=volume_id)
    return found


def turn(tx: Connection, it: Recorded, status: str, ctxt: RequestContext, due_after: float | None = None) -> bool:
    """Change the status of a row, if it is as it was read; tell whether it was.

    :param due_after: seconds after which a conductor looks whether it goes on; None when nothing is done
    """
    return _turned(tx, _turn, it, status, ctxt, due_after)


def accept(tx: Connection, it: Recorded, status: str, ctxt: RequestContext, due_after: float | None = None) -> bool:
    """Change the status of a row that was reserved, likewise, if its instance is not deleted; tell whether it was."""
    return _turned(tx, _accept, it, status, ctxt, due_after)


def _turned(
    tx: Connection, statement: Update, it: Recorded, status: str, ctxt: RequestContext, due_after: float | None
) -> bool:
    due = _due_at(due_after, datetime.now(UTC))
    values = {"which": it.uuid, "was": it.status, "becomes": status, "due": due, "asked_by": ctxt}
    return tx.execute(statement, values).rowcount == 1


def _due_at(due_after: float | None, now: datetime) -> datetime | None:
    return None if due_after is None else now + timedelta(seconds=due_after)


def say(tx: Connection, it: Recorded, *, delete_on_termination: bool) -> None:
    """Write whether the volume is deleted with the instance."""
    tx.execute(_say, {"which": it.uuid, "said": delete_on_termination})


def end(tx: Connection, it: Recorded) -> bool:
    """Delete a row; tell whether it was there."""
    return tx.execute(_delete, {"which": it.uuid}).rowcount == 1


# ---- what a conductor looks at


def due(tx: Connection, now: datetime, most: int) -> Sequence[Recorded]:
    """List what is due, the longest due first."""
    return ROWS.all(tx.execute(_due, {"now": now, "most": most}))


def put_off(tx: Connection, it: Recorded, until: datetime) -> bool:
    """Put off what is due; False when another conductor has, or when it has ended."""
    values = {"which": it.uuid, "if_due_at": it.due_at, "until": until}
    return tx.execute(_put_off, values).rowcount == 1


def hurry(tx: Connection, latest: datetime) -> None:
    """Have all that is done be due at this moment, unless it is due before."""
    tx.execute(_hurry, {"latest": latest})


def follow(tx: Connection, instance_uuid: str, due_after: float) -> Sequence[Recorded]:
    """List what an instance has that goes elsewhere now, and have a conductor look where it came.

    :param due_after: seconds after which it looks
    """
    has = [it for it in of(tx, [instance_uuid]) if it.status == ATTACHED]
    if has:
        tx.execute(_follow, {"instance": instance_uuid, "due": _due_at(due_after, datetime.now(UTC))})
    return has


def left(tx: Connection, now: datetime, most: int) -> Sequence[Recorded]:
    """List what instances had that are deleted, or could not be built, or were never made."""
    return ROWS.all(tx.execute(_left, {"now": now, "most": most}))
