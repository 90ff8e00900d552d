"""mininova-manage db: the schema of the database.  Also how every other command opens it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db import schema
from mininova.db.session import Database

#: A transaction: SQLAlchemy's Connection, which only db/ calls by that name.
Tx = Any


@contextmanager
def opened(conf: ConfigOpts) -> Iterator[Database]:
    """Open the database for a command: one that cannot be reached is told at once, not waited for.

    :raises errors.DatabaseNotReady: when it cannot be reached, or has another schema than this code needs
    """
    with _any_schema(conf) as db:
        schema.check(db)
        yield db


@contextmanager
def _any_schema(conf: ConfigOpts) -> Iterator[Database]:
    db = Database(conf.database.connection, connect_retry=0.0)
    try:
        yield db
    finally:
        db.close()


def upgrade(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Bring the schema to the one of this code."""
    with _any_schema(conf) as db:
        before = schema.version(db)
        schema.upgrade(db)
        after = schema.version(db)
        known = "it was empty" if before is None else f"it was at {before}"
        print(f"{db.name} is at schema {after}; {'nothing to do' if before == after else known}")


def version(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Print which schema the database has, and which one this code needs."""
    with _any_schema(conf) as db:
        print(f"database  {schema.version(db) or 'empty'}")
        print(f"code      {schema.head()}")


def check(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Fail unless the database has the schema of this code."""
    with opened(conf) as db:
        print(f"{db.name} is at schema {schema.head()}, as this code needs it")
