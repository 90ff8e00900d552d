"""Denials: what callers wanted and were refused, counted by caller, method and object.

The conductor writes them aside (conductor/checks/denials.py), an operator lists them.  A caller can fill no more than
``MAX_ROWS_PER_CALLER`` rows, and callers are broker users, which an operator made: so the table is bounded.
"""

from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, update

from mininova.db.models import denials as table
from mininova.db.rows import Rows, insert_new

MAX_ROWS_PER_CALLER = 100
REST = "(others)"  # the object of what finds no row of its own
MAX_CHARS = {"caller": 128, "method": 64, "object": 128, "reason": 255}


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a caller asked for and may not have, and how often.

    :param caller: an identity; "" is a sender that the broker did not vouch for
    :param reason: of the last time
    """

    caller: str
    method: str
    object: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


ROWS = Rows(Denied, table, key="id")

_this = [table.c[name] == bindparam(f"of_{name}") for name in ("caller", "method", "object")]
_more = bindparam("more", type_=BigInteger)
_again = update(table).where(*_this).values(count=table.c.count + _more)
_insert = insert(table)
_rows_of = select(func.count()).where(table.c.caller == bindparam("of_caller"))


def record(tx: Connection, denied: Denied) -> None:
    """Count a denial; where a caller has filled its rows, all others of a method are counted together."""
    if _count(tx, denied):
        return
    if tx.execute(_rows_of, {"of_caller": denied.caller}).scalar_one() >= MAX_ROWS_PER_CALLER:
        denied = msgspec.structs.replace(denied, object=REST)
        if _count(tx, denied):
            return
    if not insert_new(tx, _insert, ROWS.values(denied)):
        _count(tx, denied)  # another conductor wrote the first one at this very moment


def search(tx: Connection, *, caller: str | None = None, limit: int | None = None) -> list[Denied]:
    """List denials, the latest first.

    :param caller: only those of this one
    """
    query = ROWS.select if caller is None else ROWS.select.where(table.c.caller == caller)
    return ROWS.all(tx.execute(query.order_by(table.c.last_at.desc(), table.c.id.desc()).limit(limit)))


def forget(tx: Connection, caller: str | None = None) -> int:
    """Forget the denials of a caller, or all; tell how many rows that were."""
    query = delete(table) if caller is None else delete(table).where(table.c.caller == caller)
    return tx.execute(query).rowcount


def _count(tx: Connection, denied: Denied) -> bool:
    """Count one more of something that was denied before; tell whether it was."""
    this = {"of_caller": denied.caller, "of_method": denied.method, "of_object": denied.object}
    changes = {"reason": denied.reason, "last_at": denied.last_at, "more": denied.count}
    return tx.execute(_again, {**this, **changes}).rowcount > 0
