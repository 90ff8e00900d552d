"""The schema: the migrations lead to the tables that the code knows, and a process knows whether it got there."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from mininova import errors
from mininova.db import schema
from mininova.db.models import compute  # noqa: F401 - they bring their tables into the metadata
from mininova.db.models.base import metadata
from mininova.db.session import Database
from mininova.standins.glance.db import models as images  # noqa: F401
from mininova.standins.keystone.db import models as identity  # noqa: F401


@pytest.fixture
def empty(tmp_path):
    """A database without any table."""
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}", connect_retry=0)
    yield database
    database.close()


def pretend(db, version):
    """Have a database say that it is of another version."""
    with db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def compare_default(_context, _inspected, _column, found, _default, wanted):
    """Compare two defaults as Alembic does, but for MariaDB, which reads false back as 0."""
    return False if (found, wanted) in {("0", "false"), ("1", "true")} else None


def test_the_migrations_lead_to_the_models(db):
    """A database that was migrated has the very tables, columns, indexes and constraints of the models."""
    with db.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": compare_default})
        assert compare_metadata(context, metadata) == []


def test_the_numbers_of_the_files_are_the_order_of_the_migrations():
    """head() reads file names; Alembic, which reads the files, must agree."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.head()]


def test_an_empty_database_is_filled(empty):
    """Upgrading an empty database brings it to the head, and then it is ready."""
    assert schema.version(empty) is None
    schema.upgrade(empty)
    assert schema.version(empty) == schema.head()
    schema.check(empty)


def test_upgrading_twice_is_upgrading_once(db):
    """A database that is at the head stays as it is."""
    schema.upgrade(db)
    assert schema.version(db) == schema.head()


def test_an_upgrade_is_whole_or_not_at_all(empty, tmp_path, monkeypatch):
    """When a step fails, nothing of the steps before it stays (on databases that can undo the making of tables)."""
    steps = tmp_path / "migrations"
    (steps / "versions").mkdir(parents=True)
    (steps / "env.py").write_text((schema.MIGRATIONS / "env.py").read_text())
    first = (schema.MIGRATIONS / "versions" / "0001_compute.py").read_text()
    (steps / "versions" / "0001_compute.py").write_text(first)
    broken = "revision, down_revision = '0002', '0001'\ndef upgrade(): raise ZeroDivisionError\n"
    (steps / "versions" / "0002_broken.py").write_text(broken)
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    with pytest.raises(ZeroDivisionError):
        schema.upgrade(empty)
    assert schema.version(empty) is None


def test_an_empty_database_is_not_ready(empty):
    """The error says that it is empty and which command helps, and quotes the database."""
    with pytest.raises(errors.DatabaseNotReady, match=r"empty\.sqlite is empty\. Run: mininova-manage db upgrade"):
        schema.check(empty)


def test_an_older_database_is_not_ready(db):
    """The error says which version it has, which one is needed, and which command helps."""
    pretend(db, "0001")
    with pytest.raises(errors.DatabaseNotReady, match=r"is older than this code: schema 0001, .* db upgrade"):
        schema.check(db)


@pytest.mark.parametrize("ask", [schema.check, schema.upgrade])
def test_a_newer_database_is_not_ready(db, ask):
    """The error says so, and does not advise to upgrade what is newer already; upgrading it is refused."""
    pretend(db, "9999")
    with pytest.raises(errors.DatabaseNotReady, match="is newer than this code: schema 9999") as caught:
        ask(db)
    assert "db upgrade" not in str(caught.value)


def test_a_database_that_cannot_be_reached_is_not_waited_for(tmp_path):
    """At start a missing database is one clear line at once, whatever connect_retry says."""
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}", connect_retry=3600)
    with pytest.raises(errors.DatabaseNotReady, match="cannot be reached: unable to open database file"):
        schema.check(database)
    database.close()
