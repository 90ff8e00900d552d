"""How the rows of a table become frozen objects, and back: a field and a column of the same name are one.

Every query module has one ``Rows`` for each kind of object that it gives.  Nothing here knows a table.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Delete, Insert, Select, Table, Update, bindparam, select
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T", bound=msgspec.Struct)

MAX_ID_DIGITS = 18  # no table ever has more rows


def is_id(text: object) -> bool:
    """Tell the number of a row, as it was said outside, from a uuid."""
    return isinstance(text, int) or (isinstance(text, str) and text.isdecimal() and len(text) <= MAX_ID_DIGITS)


class Rows(Generic[T]):
    """A table, read as objects of one type; a field without a column is left at its default.

    ``which`` is the condition that the key equals the parameter of that name, ``one`` the query with it.

    :param key: the column by which one row, or the few that belong together, are picked
    """

    def __init__(self, struct: type[T], table: Table, key: str = "uuid") -> None:
        self.struct = struct
        self.columns = [table.c[name] for name in struct.__struct_fields__ if name in table.c]
        self.which: ColumnElement[bool] = table.c[key] == bindparam("which")
        self.select = select(*self.columns)
        self.one = self.select.where(self.which)
        self._names = [column.name for column in self.columns]
        self._given = [column.name for column in self.columns if column is not table.autoincrement_column]

    def first(self, rows: Iterable[Sequence[Any]]) -> T | None:
        """Make an object of the first row; None when there is none."""
        return next(iter(self.all(rows)), None)

    def all(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """Make an object of each row that begins with ``columns``."""
        struct, names = self.struct, self._names
        return [struct(**dict(zip(names, row))) for row in rows]  # noqa: B905 - a thousand times for a page of servers

    def values(self, value: T) -> dict[str, Any]:
        """Give the columns of an object, as an INSERT takes them: all but the one that the database counts up."""
        return {name: getattr(value, name) for name in self._given}

    def update(
        self, tx: Connection, statement: Update, values: Mapping[str, Any], *, again: Select[Any] | None = None
    ) -> T | None:
        """Run an UPDATE of one row, and give the object that it became; None when its WHERE met no row.

        :param values: the parameters, ``which`` among them
        :param again: how to find the row again with the same parameters, where ``which`` is not among them
        """
        if tx.dialect.update_returning:
            return self.first(tx.execute(_returning(statement, *self.columns), values))
        if tx.execute(statement, values).rowcount == 0:
            return None
        return self.first(tx.execute(self.one if again is None else again, values))

    def delete(self, tx: Connection, statement: Delete, values: Mapping[str, Any]) -> T | None:
        """Run a DELETE of one row, and give the object that it was; None when its WHERE met no row.

        :param values: the parameters, ``which`` among them
        """
        if tx.dialect.delete_returning:
            return self.first(tx.execute(_returning(statement, *self.columns), values))
        was = self.first(tx.execute(self.one, values))
        return None if tx.execute(statement, values).rowcount == 0 else was


_COUNTED: CoreExecuteOptionsParameter = {"preserve_rowcount": True}  # SQLAlchemy forgets what PostgreSQL counted


class NewRow(Insert):
    """An INSERT for ``insert_new`` that needs no savepoint on PostgreSQL: a key that is taken is passed over there.

    It is for a table whose keys the database does not count up.
    """

    inherit_cache = True


@compiles(NewRow, "postgresql")
def _unless_taken(statement: NewRow, compiler: SQLCompiler, **how: Any) -> str:
    written: str = compiler.visit_insert(statement, **how)  # type: ignore[no-untyped-call]
    return f"{written} ON CONFLICT DO NOTHING"


def insert_new(tx: Connection, statement: Insert, values: Mapping[str, Any]) -> bool:
    """Insert a row, unless one of its unique keys is taken; tell which.  The transaction goes on in either case.

    An INSERT that takes its row from a query has inserted none, too, when the query gave none.
    """
    # Only PostgreSQL gives the whole transaction up when a statement fails.
    gives_up = tx.dialect.name == "postgresql" and not isinstance(statement, NewRow)
    savepoint = tx.begin_nested() if gives_up else nullcontext()
    try:
        with savepoint:
            return tx.execute(statement, values, execution_options=_COUNTED).rowcount != 0
    except IntegrityError:
        return False


@lru_cache(maxsize=256)
def _returning(statement: Update | Delete, *columns: ColumnElement[Any]) -> Any:
    return statement.returning(*columns)
