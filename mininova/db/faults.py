"""Faults: why an instance is in ERROR, in words for its owner.  The conductor writes them, the api shows the latest."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

from mininova.db.models import instance_faults as table
from mininova.db.rows import Rows
from mininova.objects import Fault

MAX_MESSAGE_CHARS = 255
MAX_DETAILS_CHARS = 16_000  # the last ones, where a traceback says what happened

ROWS = Rows(Fault, table, key="id")

_insert = insert(table)


def create(tx: Connection, uuid: str, fault: Fault, host: str | None = None) -> Fault:
    """Keep a fault of an instance, its words cut to what there is room for.

    :param host: where it happened
    """
    words = {"message": fault.message[:MAX_MESSAGE_CHARS], "details": fault.details[-MAX_DETAILS_CHARS:]}
    fault = fault.replace(**words, created_at=fault.created_at or datetime.now(UTC))
    tx.execute(_insert, {**ROWS.values(fault), "instance_uuid": uuid, "host": host})
    return fault


def latest(tx: Connection, uuids: Collection[str]) -> dict[str, Fault]:
    """Read the last fault of each of these instances that has any."""
    last = select(func.max(table.c.id)).where(table.c.instance_uuid.in_(uuids)).group_by(table.c.instance_uuid)
    rows = tx.execute(select(*ROWS.columns, table.c.instance_uuid).where(table.c.id.in_(last))).all()
    return {row.instance_uuid: fault for row, fault in zip(rows, ROWS.all(rows), strict=True)}
