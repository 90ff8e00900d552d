"""The task log: which hosts have told the usage of which period (nova: task_log).

The conductor writes it for the hosts, and the api shows it.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, and_, bindparam, insert, update

from mininova.db.models import task_log as table
from mininova.db.rows import Rows, insert_new
from mininova.objects import TaskLog
from mininova.objects.task_log import USAGE_AUDIT

ROWS = Rows(TaskLog, table, key="host")

MAX_MESSAGE_CHARS = 255

_KEY = ("task_name", "host", "period_beginning", "period_ending")
_of_period = ROWS.select.where(
    table.c.task_name == USAGE_AUDIT,
    table.c.period_beginning == bindparam("beginning"),
    table.c.period_ending == bindparam("ending"),
).order_by(table.c.host)
_update = update(table).where(and_(*(table.c[name] == bindparam(f"its_{name}") for name in _KEY)))


def record(tx: Connection, log: TaskLog) -> None:
    """Write down how far a host is, in place of what was written of the same period before."""
    values = {**ROWS.values(log), "updated_at": datetime.now(UTC)}
    if not insert_new(tx, insert(table), values):
        tx.execute(_update, {**values, **{f"its_{name}": values[name] for name in _KEY}})


def of_period(tx: Connection, beginning: datetime, ending: datetime) -> list[TaskLog]:
    """Read what the hosts said of a period, in the order of their names."""
    return ROWS.all(tx.execute(_of_period, {"beginning": beginning, "ending": ending}))
