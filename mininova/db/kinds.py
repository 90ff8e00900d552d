"""Kinds of things that a stand-in keeps: how their rows are made, read, changed and deleted, all alike.

Each kind is one line in the ``db/things.py`` of its stand-in: the object, its table, and what it is called.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Table, insert
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.rows import Rows


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What a stand-in keeps."""

    id: str
    created_at: datetime
    updated_at: datetime


T = TypeVar("T", bound=Thing)


class Kind(Generic[T]):
    """The rows of one kind of thing.

    :param what: its name in a message
    :param latest_first: whether a list begins with the newest, and not with the oldest
    """

    def __init__(self, struct: type[T], table: Table, what: str, *, latest_first: bool = False) -> None:
        self.struct, self.table, self.what = struct, table, what
        self._rows = Rows(struct, table, key="id")
        order = (table.c.created_at, table.c.id)
        self._listed = self._rows.select.order_by(*(each.desc() if latest_first else each for each in order))

    def search(self, tx: Connection, **among: Collection[str | None] | None) -> list[T]:
        """List them.

        :param among: column → the values that it may have; None means any
        """
        query = self._listed
        for column, values in among.items():
            if values is not None:
                query = query.where(self.table.c[column].in_(list(values)))
        return self._rows.all(tx.execute(query))

    def get(self, tx: Connection, id: str, *, lock: bool = False) -> T:
        """Read one.

        :param lock: keep others from changing it until the end of the transaction
        :raises errors.NotFound: when there is none
        """
        query = self._rows.one.with_for_update() if lock else self._rows.one
        found = self._rows.first(tx.execute(query, {"which": id}))
        if found is None:
            raise self.missing(id)
        return found

    def missing(self, id: str) -> errors.NotFound:
        """Make the error of one that is not there, or not the caller's to see."""
        return errors.NotFound(f"{self.what} {id} could not be found.")

    def create(self, tx: Connection, said: Mapping[str, Any]) -> T:
        """Make one."""
        now = datetime.now(UTC)
        made = self.struct(**{"id": str(uuid4()), **said, "created_at": now, "updated_at": now})
        tx.execute(insert(self.table), self._rows.values(made))
        return made

    def update(self, tx: Connection, thing: T, **said: Any) -> T:
        """Change what is said of one; a thing that counts its revisions has one more."""
        counted = {"revision": thing.revision + 1} if hasattr(thing, "revision") else {}
        changed = {**said, **counted, "updated_at": datetime.now(UTC)}
        tx.execute(update_of(self.table).where(self.table.c.id == thing.id), changed)
        return msgspec.structs.replace(thing, **changed)

    def delete(self, tx: Connection, thing: T) -> None:
        """Delete one."""
        tx.execute(delete_from(self.table).where(self.table.c.id == thing.id))
