"""A service's tables as a whole: which version of them a database has, which one the code needs, and how to get there.

``NOVA`` is ours.  Each stand-in has a Schema of its own: its migrations are beside its models, and the database says in
a table of its own which version it has.  The services call ``check`` before they start, mininova-manage and the tests
call the others.  Versions are the numbers of the files in the folder of migrations.  Only an older database has them
loaded, and Alembic with them: an empty one gets the tables of the models, which is three times as fast.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from mininova import errors
from mininova.db.models import metadata
from mininova.db.session import Connection, Database


@dataclass(frozen=True)
class Schema:
    """The tables of one service.

    :param name: the service, as messages to the operator call it
    :param migrations: the folder of its migrations, 0001_….py and those that follow
    :param models: the tables that they lead to; None where only they say it
    :param version_table: keeps the version that the database has
    """

    name: str
    migrations: Path
    models: MetaData | None
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
        self._refuse_newer(db, self.version(db))
        with db.write(patience=0) as tx:
            _compare_as_written(tx)
            if self.models is not None and not inspect(tx).has_table(self.version_table):
                self._make(tx, self.models)
            else:
                self._migrate(tx)

    def _make(self, tx: Connection, models: MetaData) -> None:
        """Make the tables as they are today."""
        models.create_all(tx)
        version = Column("version_num", String(32), nullable=False)  # as Alembic makes it
        kept = Table(
            self.version_table, MetaData(), version, PrimaryKeyConstraint(version, name=f"{self.version_table}_pkc")
        )
        kept.create(tx)
        tx.execute(kept.insert().values(version_num=self.head()))

    def _migrate(self, tx: Connection) -> None:
        """Do the steps that the database lacks."""
        from alembic.migration import MigrationContext
        from alembic.operations import Operations
        from alembic.script import ScriptDirectory

        script = ScriptDirectory(str(self.migrations), version_locations=[str(self.migrations)])
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


NOVA = Schema("nova", Path(__file__).parent / "migrations", metadata)


def _compare_as_written(tx: Connection) -> None:
    """Have MySQL keep every character and tell A from a in the tables to come, as the other databases do."""
    if tx.dialect.name in ("mysql", "mariadb"):
        collation = "utf8mb4_nopad_bin" if getattr(tx.dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        tx.execute(text(f"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))
