"""mininova-manage db: the tables of Nova and of the stand-ins.  Also how every other command opens the database."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db.schema import NOVA, Schema
from mininova.db.session import Database
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage import standins

#: A transaction: SQLAlchemy's Connection, which only db/ calls by that name.
Tx = Any


def upgrade(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Bring the tables of every service up to date."""
    wanted = schemas(conf)
    with _any_schema(conf) as db:
        for schema in wanted:
            before = schema.version(db)
            schema.upgrade(db)
            known = "they are new" if before is None else f"they were at {before}"
            done = "nothing to do" if before == schema.head() else known
            output.say(f"{db.name}: the tables of {schema.name} are at {schema.head()}; {done}")


def version(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Print which version of each service's tables the database has, and which one this code needs."""
    wanted = schemas(conf)
    with _any_schema(conf) as db:
        rows = [{"tables_of": each.name, "database": each.version(db), "code": each.head()} for each in wanted]
    columns = Column("tables_of"), Column("database", lambda version: version or "none"), Column("code")
    output.show_list(parsed.format, columns, rows, none="")


def check(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Fail unless the database has the tables that this code needs."""
    wanted = schemas(conf)
    with opened(conf, *wanted) as db:
        output.say(f"{db.name} has the tables of {', '.join(schema.name for schema in wanted)} that this code needs")


def schemas(conf: ConfigOpts) -> list[Schema]:
    """List what this cloud keeps in the database: Nova's tables and those of the stand-ins.

    :raises errors.ConfigError: when api-paste.ini cannot be read, or one of its lines leads nowhere
    """
    return [NOVA, *(each.schema for each in standins.installed(conf))]


@contextmanager
def opened(conf: ConfigOpts, *needed: Schema) -> Iterator[Database]:
    """Open the database for a command, which does not wait for one that cannot be reached.

    It may take its time over a statement, as the change of a large table does.

    :param needed: further tables that must be there
    :raises errors.DatabaseNotReady: when it cannot be reached, or has other tables than this code needs
    """
    with _any_schema(conf) as db:
        for schema in (NOVA, *needed):
            schema.check(db)
        yield db


@contextmanager
def _any_schema(conf: ConfigOpts) -> Iterator[Database]:
    db = Database(conf.database.connection, connect_retry=0.0, answer_timeout=None)
    try:
        yield db
    finally:
        db.close()
