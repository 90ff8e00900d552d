"""The migrations of each service lead to the tables of its models, and it knows whether a database has them."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from mininova import errors
from mininova.db import aggregates, hosts, networks, services
from mininova.db.schema import NOVA, Schema
from mininova.db.session import Database
from mininova.objects import ComputeNode, Service
from mininova.standins.cinder.db import SCHEMA as CINDER
from mininova.standins.glance.db import SCHEMA as GLANCE
from mininova.standins.keystone.db import SCHEMA as KEYSTONE
from mininova.standins.neutron.db import SCHEMA as NEUTRON
from tests.fixtures.every_database import differences

FIRST = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0001", None
def upgrade(): op.create_table("firsts", sa.Column("id", sa.Integer))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade(): op.create_table("seconds", sa.Column("id", sa.Integer))
"""
BROKEN = """
revision, down_revision = "0002", "0001"
def upgrade(): raise ZeroDivisionError
"""


@pytest.fixture
def sample(tmp_path):
    """Make the schema of a service after some migrations."""

    def make(*migrations):
        folder = tmp_path / f"migrations-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for number, script in enumerate(migrations, 1):
            (folder / f"{number:04}_step.py").write_text(script)
        return Schema("sample", folder, None, "alembic_version_sample")

    return make


def tables(db):
    """Name the tables that the migrations above make."""
    with db.read() as tx:
        return {"firsts", "seconds"} & set(inspect(tx).get_table_names())


@pytest.mark.parametrize("schema", [NOVA, KEYSTONE, GLANCE, NEUTRON, CINDER], ids=lambda schema: schema.name)
@pytest.mark.parametrize("made_of_models", [False, True], ids=("migrated", "made"))
def test_the_migrations_lead_to_the_models(blank, schema, made_of_models):
    """A database that went through each migration has the tables of the models, as one has that was empty."""
    (schema if made_of_models else replace(schema, models=None)).upgrade(blank)
    assert differences(blank, schema.models) == []
    replace(schema, models=None).upgrade(blank)  # Alembic knows where it stands
    schema.check(blank)


def test_addresses_of_the_first_release_stay_lent(blank, tmp_path):
    """What was lent when addresses could not wait is lent to the same instances afterwards."""
    shutil.copy(NOVA.migrations / "0001_first.py", tmp_path)
    first = replace(NOVA, migrations=tmp_path, models=None)
    first.upgrade(blank)
    with blank.write() as tx:
        columns = "network, position, instance_uuid, address, mac_address, created_at"
        row = "'flat', 2, 'u-1', '10.0.0.2', 'fa:16:3e:00:00:02', '2026-01-01 00:00:00'"
        tx.execute(text(f"INSERT INTO fixed_ips ({columns}) VALUES ({row})"))
    NOVA.upgrade(blank)
    with blank.write() as tx:
        assert networks.allocate(tx, "flat", "10.0.0.0/24", "u-1").address == "10.0.0.2"
        assert networks.departed(tx, "host-1") == []


def test_what_aggregates_say_is_copied(blank, tmp_path):
    """A scheduler sees at once what aggregates say that were there before the copy of it was."""
    NOVA.upgrade(blank)
    with blank.write() as tx:
        services.report(tx, Service(binary="nova-compute", host="host-1", topic="compute"), datetime.now(UTC))
        hosts.report(tx, ComputeNode(host="host-1", hypervisor_hostname="host-1.cell"))
        for name, said in (("a", "red, blue"), ("b", "green")):
            aggregate = aggregates.describe(tx, aggregates.create(tx, name, None), {"paint": said})
            aggregates.add_host(tx, aggregate, "host-1")
    with blank.write() as tx:
        tx.execute(text("ALTER TABLE compute_nodes DROP COLUMN aggregate_metadata"))
        tx.execute(text(f"UPDATE {NOVA.version_table} SET version_num = '0013'"))
    for file in NOVA.migrations.glob("00*.py"):
        if file.name < "0015":
            shutil.copy(file, tmp_path)
    replace(NOVA, migrations=tmp_path).upgrade(blank)
    with blank.read() as tx:
        ((seen,), _) = hosts.seen_since(tx, 0)
    assert seen.said == {"paint": {"red", "blue", "green"}}


def test_a_long_text_has_room(blank):
    """A text column made by a migration takes more than MySQL's default of 64 KiB."""
    replace(NOVA, models=None).upgrade(blank)
    with blank.write() as tx:
        spec = "x" * 100_000
        values = {"instance_uuid": "u", "spec": spec, "alternates": "[]"}
        columns = "instance_uuid, spec, alternates, updated_at"
        row = ":instance_uuid, :spec, :alternates, '2026-01-01 00:00:00'"
        tx.execute(text(f"INSERT INTO request_specs ({columns}) VALUES ({row})"), values)
        assert tx.execute(text("SELECT spec FROM request_specs")).scalar() == spec


def test_the_numbers_of_the_files_are_the_order_of_the_migrations(sample):
    """head() reads the names of files; Alembic, which reads the files, must agree."""
    for schema in (NOVA, sample(FIRST, SECOND)):
        folder = str(schema.migrations)
        assert ScriptDirectory(folder, version_locations=[folder]).get_heads() == [schema.head()]


def test_an_upgrade_of_an_empty_database(blank, sample):
    """It makes all tables; a second upgrade changes nothing."""
    schema = sample(FIRST, SECOND)
    assert schema.version(blank) is None
    for _ in range(2):
        schema.upgrade(blank)
        assert schema.version(blank) == schema.head() == "0002"
        assert tables(blank) == {"firsts", "seconds"}
    schema.check(blank)


def test_an_upgrade_of_an_older_database(blank, sample):
    """It runs the migrations that the database lacks."""
    sample(FIRST).upgrade(blank)
    assert tables(blank) == {"firsts"}
    sample(FIRST, SECOND).upgrade(blank)
    assert tables(blank) == {"firsts", "seconds"}


def test_an_upgrade_is_whole_or_not_at_all(tmp_path, sample):
    """When a migration fails, those before it are undone (on databases that can undo CREATE TABLE)."""
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}", connect_retry=0)
    schema = sample(FIRST, BROKEN)
    with pytest.raises(ZeroDivisionError):
        schema.upgrade(database)
    assert (schema.version(database), tables(database)) == (None, set())
    database.close()


def test_services_do_not_share_a_version(blank, sample):
    """Two services in one database are upgraded separately."""
    NOVA.upgrade(blank)
    assert sample(FIRST).version(blank) is None
    sample(FIRST).upgrade(blank)
    assert NOVA.version(blank) == NOVA.head()


def test_an_empty_database_is_not_ready(blank, sample):
    """The error has the database, the service and the command that helps."""
    with pytest.raises(errors.DatabaseNotReady, match=r"blank.* has no tables of sample\. Run: mininova-manage db upg"):
        sample(FIRST).check(blank)


def test_an_older_database_is_not_ready(blank, sample):
    """The error has the database's version, the needed one and the command that helps."""
    sample(FIRST).upgrade(blank)
    with pytest.raises(errors.DatabaseNotReady, match=r"older than this code: its schema of sample is 0001, not 0002"):
        sample(FIRST, SECOND).check(blank)


@pytest.mark.parametrize("ask", [Schema.check, Schema.upgrade])
def test_a_newer_database_is_not_ready(blank, sample, ask):
    """The error says that it is newer, and does not advise an upgrade, which is refused."""
    sample(FIRST, SECOND).upgrade(blank)
    with pytest.raises(errors.DatabaseNotReady, match="newer than this code: its schema of sample is 0002") as caught:
        ask(sample(FIRST), blank)
    assert "db upgrade" not in str(caught.value)


def test_a_database_that_cannot_be_reached_is_not_waited_for(tmp_path):
    """At start a missing database is one clear error at once, whatever connect_retry says."""
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}", connect_retry=3600)
    with pytest.raises(errors.DatabaseNotReady, match="cannot be reached: unable to open database file"):
        NOVA.check(database)
    database.close()
