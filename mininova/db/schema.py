"""The schema as a whole: which one a database has, which one the code needs, and how to get from one to the other.

The services call ``check`` before they start, mininova-manage and the tests the others.  The schemas are numbered by
the files in migrations/versions, which only ``upgrade`` loads, and Alembic with them.
"""

from pathlib import Path

from sqlalchemy import inspect, text

from mininova import errors
from mininova.db.session import Connection, Database

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """Name the schema that this code is written for, such as ``0003``."""
    return _known()[-1]


def version(db: Database) -> str | None:
    """Name the schema that the database has; None when it has no tables of ours.

    :raises errors.DatabaseNotReady: when it cannot be reached now
    """
    with db.read(patience=0) as tx:
        if not inspect(tx).has_table("alembic_version"):
            return None
        return tx.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check(db: Database) -> None:
    """Make sure that the database has the very schema that this code is written for.

    :raises errors.DatabaseNotReady: saying whether it is empty, older or newer, or cannot be reached now
    """
    found = version(db)
    if found is None:
        raise errors.DatabaseNotReady(problem=f"{db.name} is empty")
    _refuse_newer(db, found)
    if found != head():
        raise errors.DatabaseNotReady(problem=f"{db.name} is older than this code: schema {found}, not {head()}")


def upgrade(db: Database) -> None:
    """Bring an empty or older database to the schema of this code; one that has it already is left as it is.

    :raises errors.DatabaseNotReady: when it is newer, or cannot be reached now
    """
    from alembic import command
    from alembic.config import Config

    _refuse_newer(db, version(db))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with db.write(patience=0) as tx, tx.begin():  # Alembic leaves a transaction that was begun to who began it
        _compare_as_written(tx)
        config.attributes["connection"] = tx
        command.upgrade(config, "head")


def _compare_as_written(tx: Connection) -> None:
    """Have MySQL keep any character and tell A from a in the tables to come: others do, and it does not by itself."""
    if tx.dialect.name in ("mysql", "mariadb"):
        collation = "utf8mb4_nopad_bin" if getattr(tx.dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        tx.execute(text(f"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))


def _refuse_newer(db: Database, found: str | None) -> None:
    if found is not None and found not in _known():
        raise errors.DatabaseNotReady(
            f"The database {db.name} is newer than this code: schema {found}, and the code knows up to {head()}. "
            "Upgrade mininova here, or name another database."
        )


def _known() -> list[str]:
    return sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
