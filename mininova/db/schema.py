"""A service's tables as a whole: which version of them a database has, which one the code needs, and how to get there.

``NOVA`` is ours.  Each stand-in has a Schema of its own: its migrations are beside its models, and the database says in
a table of its own which version it has.  The services call ``check`` before they start, mininova-manage and the tests
call the others.  Versions are the numbers of the files in the folder of migrations, which only ``upgrade`` loads, and
Alembic with them.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from mininova import errors
from mininova.db.session import Connection, Database


@dataclass(frozen=True)
class Schema:
    """The tables of one service.

    :param name: the service, as messages to the operator call it
    :param migrations: the folder of its migrations, 0001_….py and those that follow
    :param version_table: keeps the version that the database has
    """

    name: str
    migrations: Path
    version_table: str = "alembic_version"

    def head(self) -> str:
        """Name the version that this code is written for, such as ``0003``."""
        return self._known()[-1]

    def version(self, db: Database) -> str | None:
        """Name the version that a database has; None when it has none of these tables.

        :raises errors.DatabaseNotReady: when it cannot be reached now
        """
        with db.read(patience=0) as tx:
            if not inspect(tx).has_table(self.version_table):
                return None
            return tx.execute(text(f"SELECT version_num FROM {self.version_table}")).scalar()

    def check(self, db: Database) -> None:
        """Make sure that a database has the very tables that this code is written for.

        :raises errors.DatabaseNotReady: when it has none, older or newer ones, or cannot be reached now
        """
        found = self.version(db)
        if found is None:
            raise errors.DatabaseNotReady(problem=f"{db.name} has no tables of {self.name}")
        self._refuse_newer(db, found)
        if found != self.head():
            problem = f"{db.name} is older than this code: its schema of {self.name} is {found}, not {self.head()}"
            raise errors.DatabaseNotReady(problem=problem)

    def upgrade(self, db: Database) -> None:
        """Make the tables, or bring older ones up to date, in one transaction; leave those of this version alone.

        :raises errors.DatabaseNotReady: when the database is newer, or cannot be reached now
        """
        from alembic.migration import MigrationContext
        from alembic.operations import Operations
        from alembic.script import ScriptDirectory

        from mininova.db.models import base  # noqa: F401 - it has MySQL make room for long texts

        self._refuse_newer(db, self.version(db))
        script = ScriptDirectory(str(self.migrations), version_locations=[str(self.migrations)])
        with db.write(patience=0) as tx, tx.begin():
            _compare_as_written(tx)
            context = MigrationContext.configure(tx, opts={"version_table": self.version_table})
            steps = [*script.iterate_revisions("head", context.get_current_revision() or "base")]
            with Operations.context(context):
                for step in reversed(steps):
                    step.module.upgrade()
            context.stamp(script, "head")

    def _refuse_newer(self, db: Database, found: str | None) -> None:
        if found is not None and found not in self._known():
            raise errors.DatabaseNotReady(
                f"The database {db.name} is newer than this code: its schema of {self.name} is {found}, and the code "
                f"knows up to {self.head()}. Upgrade mininova here, or name another database."
            )

    def _known(self) -> list[str]:
        return sorted(path.stem.partition("_")[0] for path in self.migrations.glob("[0-9]*.py"))


NOVA = Schema("nova", Path(__file__).parent / "migrations")


def _compare_as_written(tx: Connection) -> None:
    """Have MySQL keep every character and tell A from a in the tables to come, as the other databases do."""
    if tx.dialect.name in ("mysql", "mariadb"):
        collation = "utf8mb4_nopad_bin" if getattr(tx.dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        tx.execute(text(f"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))
