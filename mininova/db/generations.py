"""What has changed of the compute hosts since a scheduler looked: the generations of the compute nodes.

A scheduler keeps what it has read.  So each change of what it looks at, in the row of a compute node or in that of its
service, gives the node a new generation in the same transaction; the modules that write those rows see to it.  Of
heartbeats there are too many for that, and the scheduler reads them by themselves.

A generation is the moment of the change, or one more than the last, so it always grows, and those of the latest changes
are the greatest.  That clocks differ, and that transactions end in another order than they began, the sum of all
generations betrays.
"""

import time
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, func, select, update

from mininova.db.models import compute_nodes as table

_now = bindparam("now_ms", type_=BigInteger)

#: The value that an UPDATE of compute_nodes gives the column, with the parameters of ``now()``.
NEXT = case((table.c.generation < _now, _now), else_=table.c.generation + 1)

_every = table.alias()
#: The sum of all generations, which a statement works out once, however many rows it reads.
TOTAL = select(func.sum(_every.c.generation)).scalar_subquery()

_all = select(table.c.id, table.c.generation)
_change = update(table).where(table.c.host.in_(bindparam("on_hosts", expanding=True))).values(generation=NEXT)


def now() -> dict[str, Any]:
    """Give the parameters of ``NEXT``: milliseconds, since SQLite adds up no more than 63 bits."""
    return {"now_ms": time.time_ns() // 1_000_000}


def changed(tx: Connection, *hosts: str) -> None:
    """Have schedulers read some hosts again, if they are compute hosts."""
    tx.execute(_change, {**now(), "on_hosts": hosts})


def everything(tx: Connection) -> dict[int, int]:
    """Read the generation of every compute node."""
    return {row.id: row.generation for row in tx.execute(_all)}
