"""What has changed of the compute hosts since a scheduler looked: the generations of the compute nodes.

A scheduler keeps what it has read.  So each change of what it looks at, in the row of a compute node or in that of its
service, gives the node a new generation in the same transaction; the modules that write those rows see to it.  Of
heartbeats there are too many for that, and the scheduler reads them by themselves.

A generation is the moment of the change, or one more than the last, so it always grows, and those of the latest changes
are the greatest.  That clocks differ, and that transactions end in another order than they began, the sum of all
generations betrays.
"""

import time
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, case, func, select, true, update

from mininova.db.models.compute import compute_nodes as table

_now = bindparam("now_ms", type_=BigInteger)

#: The value that an UPDATE of compute_nodes gives the column, with the parameters of ``now()``.
NEXT = case((table.c.generation < _now, _now), else_=table.c.generation + 1)

_all = select(table.c.id, table.c.generation)
_every = table.alias()
_total = select(func.count(_every.c.generation), func.sum(_every.c.generation)).subquery()
_since = _all.add_columns(_total).join_from(table, _total, true()).where(table.c.generation >= bindparam("since"))
_change = update(table).where(table.c.host == bindparam("on_host")).values(generation=NEXT)


class Changes(NamedTuple):
    """The generations of some compute nodes, by their ids; and how many nodes there are, and the sum of all."""

    generations: dict[int, int]
    total: tuple[int, int]


def now() -> dict[str, Any]:
    """Give the parameters of ``NEXT``: milliseconds, since SQLite adds up no more than 63 bits."""
    return {"now_ms": time.time_ns() // 1_000_000}


def changed(tx: Connection, host: str) -> None:
    """Have schedulers read a host again, if it is a compute host."""
    tx.execute(_change, {**now(), "on_host": host})


def changes(tx: Connection, since: int) -> Changes:
    """Read the generations that are as great as this, or greater."""
    rows = tx.execute(_since, {"since": since}).all()
    total = (int(rows[0][2]), int(rows[0][3])) if rows else (0, 0)
    return Changes({row.id: row.generation for row in rows}, total)


def everything(tx: Connection) -> dict[int, int]:
    """Read the generation of every compute node."""
    return {row.id: row.generation for row in tx.execute(_all)}
