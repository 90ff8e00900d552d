"""What only real PostgreSQL and MariaDB servers show: they stop and come back, and refuse some values."""

import pytest
from sqlalchemy import event

from mininova import errors
from mininova.db import faults, flavors, instances
from mininova.db.instance_search import InstanceFilter, search
from mininova.objects import Fault
from tests.fixtures.private_databases import MARIADB, POSTGRESQL

pytestmark = pytest.mark.parametrize("db", [POSTGRESQL, MARIADB], indirect=True)


@pytest.fixture
def server(db, database_server):
    """Give the server of the database, which runs again afterwards."""
    kind = {"postgresql": POSTGRESQL, "mysql": MARIADB}[db.engine.dialect.name]
    yield database_server(kind)
    database_server(kind).start()


@pytest.fixture
def count(db):
    """Count the flavors."""

    def read(**how):
        with db.read(**how) as tx:
            return len(flavors.search(tx))

    return read


def test_a_server_that_is_away_is_named(server, count):
    """The error names the database without its password, in one line."""
    server.stop()
    named = rf"mininova:\*\*\*@127.0.0.1:{server.port}/mininova cannot be reached: [^\n]+\Z"
    with pytest.raises(errors.DatabaseNotReady, match=named):
        count()


def test_a_server_that_comes_back_was_worth_the_wait(db, server, count, flavor):
    """Old connections are replaced; committed rows are there."""
    with db.write() as tx:
        flavors.create(tx, flavor)
    server.stop()
    attempts = []

    @event.listens_for(db.reader, "handle_error")
    def failed(_):
        attempts.append(None)
        if len(attempts) == 2:
            server.start()

    assert count(patience=60) == 1
    assert len(attempts) >= 2


def test_what_was_read_before_the_server_ended_is_good(db, server, count, flavor):
    """Giving the connection back says nothing of it, and the pool has it again (a storm's seed 51 on MariaDB: 500)."""
    with db.write() as tx:
        flavors.create(tx, flavor)
    with db.read() as tx:
        found = flavors.get(tx, flavor.flavor_id)
        server.stop()
    assert found == flavor
    assert db.reader.pool.checkedout() == 0
    server.start()
    assert count() == 1


def test_an_error_is_not_hidden_by_the_end_of_the_server(db, server):
    """The caller gets the error that it raised."""

    def refuse():
        with db.read() as tx:
            flavors.search(tx)
            server.stop()
            raise errors.FlavorNotFound(flavor_id="9")

    with pytest.raises(errors.FlavorNotFound):
        refuse()
    server.start()


def test_a_transaction_whose_server_ends_did_nothing(db, server, count, flavor):
    """The error in that transaction says that nothing was done."""

    def write():
        with db.write() as tx:
            flavors.create(tx, flavor)
            server.stop()
            flavors.get(tx, flavor.flavor_id)

    with pytest.raises(errors.DatabaseAway, match="gave a transaction up"):
        write()
    server.start()
    assert count() == 0


def test_a_value_that_no_column_holds_is_invalid(db, flavor):
    """A number that no column holds is the caller's mistake, and one line."""

    def write():
        with db.write() as tx:
            flavors.create(tx, flavor.replace(memory_mb=2**40))

    with pytest.raises(errors.InvalidInput, match=r"the database takes no such value: (?i:.*out of range)"):
        write()


def test_an_expression_that_only_we_know_is_invalid(db):
    """Each database has its own grammar, and refuses expressions outside it."""

    def find():
        with db.read() as tx:
            search(tx, InstanceFilter(display_name=r"(?P<again>a)(?P<again>b)"))

    with pytest.raises(errors.InvalidInput):
        find()


def test_texts_may_be_long_and_in_any_script(db, an_instance):
    """Metadata and faults of an instance may be long."""
    metadata = {f"{n:03} \N{SNOWMAN} \N{GRINNING FACE}": "\N{GRINNING FACE}" * 255 for n in range(128)}
    with db.write() as tx:
        (instance,) = instances.create(tx, [an_instance(metadata=metadata)])
        faults.create(tx, instance.uuid, Fault(code=500, message="", details="\N{GRINNING FACE}" * 16_000))
    with db.read() as tx:
        assert instances.get(tx, instance.uuid).metadata == metadata
        assert len(faults.latest(tx, [instance.uuid])[instance.uuid].details) == 16_000


def test_names_are_compared_as_written(db, flavor):
    """Names differ by case and by a space at the end."""
    names = ("a", "A", "a ", "ä")
    with db.write() as tx:
        for name in names:
            flavors.create(tx, flavor.replace(flavor_id=name, name=name))
    with db.read() as tx:
        assert tuple(flavors.get(tx, name).name for name in names) == names
