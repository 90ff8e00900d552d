"""Lists that come page by page: how a query is sorted, where it goes on and where it stops.

A page goes on after its *marker*, which is the last row of the page before.  Where all keys of a sort are equal the
table's ``id`` decides, so pages are complete and stable by any sort.  The query modules call this; it
knows none of their tables.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, case, literal, or_, select

from mininova import errors

# (name of a column, "asc" or "desc"), the most important first; none at all sorts by id
Sort = Sequence[tuple[str, str]]
# something to sort by, whether downwards, and the marker's value of it
Bound = tuple[ColumnElement[Any], bool, Any]


def page(
    tx: Connection,
    query: Select[Any],
    key: Column[Any],
    *,
    sort: Sort = (),
    marker: object = None,
    among: ColumnElement[bool] | None = None,
    limit: int | None = None,
) -> Select[Any]:
    """Narrow a query to one page.

    :param key: the column that the marker is a value of
    :param among: the rows that the marker must be one of; None means all of the table
    :param limit: how many rows at most; None means all
    :raises errors.InvalidInput: when no row has the marker, or there is no such column to sort by
    """
    last_resort = ("id", sort[0][1] if sort else "asc")
    keys = [(_column(key, name), direction == "desc") for name, direction in (*sort, last_resort)]
    if marker is not None:
        it = key == marker if among is None else and_(key == marker, among)
        last = tx.execute(select(*(column for column, _ in keys)).where(it)).first()
        if last is None:
            raise errors.InvalidInput(f"marker [{marker}] not found")
        bounds = [
            bound for (column, desc), value in zip(keys, last, strict=True) for bound in _bounds(column, desc, value)
        ]
        query = query.where(_beyond(bounds))
    order = (part.desc() if desc else part.asc() for column, desc in keys for part in _parts(column))
    return query.order_by(*order).limit(limit)


def _column(key: Column[Any], name: str) -> Column[Any]:
    column = key.table.c.get(name)
    if not isinstance(column, Column):
        raise errors.InvalidInput(reason=f"cannot sort by {name}")
    return column


def _parts(column: Column[Any]) -> list[ColumnElement[Any]]:
    """Give what to sort by: the column, and before it whether it has a value at all, if it may have none.

    Left to themselves the databases disagree; here no value is smaller than all values.
    """
    return [case((column.is_(None), 0), else_=1), column] if column.nullable else [column]


def _bounds(column: Column[Any], desc: bool, value: Any) -> list[Bound]:
    """Give the marker's values of these parts; where it has none, that it has none is all there is to compare."""
    values = [int(value is not None), value] if column.nullable else [value]
    return [(part, desc, bound) for part, bound in zip(_parts(column), values, strict=True) if bound is not None]


def _beyond(bounds: Sequence[Bound]) -> ColumnElement[bool]:
    """Say that a row comes after the one with these values.

    The first part is compared on its own as well, so that an index on it is of use.
    """
    (part, desc, value), *others = bounds
    bound = literal(value, part.type)  # SQLAlchemy orders by no True or False that is not bound
    beyond: ColumnElement[bool] = part < bound if desc else part > bound
    if not others:
        return beyond
    return and_(part <= bound if desc else part >= bound, or_(beyond, _beyond(others)))
