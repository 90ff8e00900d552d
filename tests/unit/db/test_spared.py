"""What a database server is not asked: whether it is there, at each transaction, and to roll back what is committed."""

import select

import pytest
from sqlalchemy import text

from mininova.db import servers
from mininova.db.session import Database
from tests.fixtures.private_databases import MARIADB, POSTGRESQL

# How a connection asks for its number, and another one ends it.
ENDS = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mysql": ("SELECT connection_id()", "KILL {}"),
}

on_servers = pytest.mark.parametrize("db", [POSTGRESQL, MARIADB], indirect=True)


@pytest.fixture
def use(db):
    """Read once, on the connection that was used last."""

    def read():
        with db.read() as tx:
            tx.execute(text("SELECT 1"))

    read()
    return read


@pytest.fixture
def pings(db, monkeypatch):
    """Collect the connections that are pinged."""
    seen, ping = [], db.reader.dialect.do_ping

    def pinged(connection):
        seen.append(connection)
        return ping(connection)

    monkeypatch.setattr(db.reader.dialect, "do_ping", pinged)
    return seen


@on_servers
def test_a_server_is_pinged_after_silence_only(use, pings, monkeypatch):
    """A connection that was in use just now is good, unless something was heard on it."""
    use()
    assert not pings
    monkeypatch.setattr(servers, "PING_AFTER_S", 0.0)
    use()
    assert len(pings) == 1


@on_servers
def test_a_connection_that_the_server_has_ended_is_replaced(db, use, pings):
    """Its end was heard, however short ago the connection was in use."""
    which, end = ENDS[db.engine.dialect.name]
    with db.read() as tx:
        number, connection = tx.execute(text(which)).scalar(), tx.connection.driver_connection
    other = Database(db.engine.url.render_as_string(hide_password=False))
    with other.write() as tx:
        tx.execute(text(end.format(number)))
    other.close()
    select.select([getattr(connection, "_sock", connection)], [], [], 60)
    use()
    assert pings == [connection]


@pytest.mark.parametrize("db", [MARIADB], indirect=True)
def test_only_what_failed_is_rolled_back(db):
    """What is committed is not, and what was only read was no transaction."""
    counted = text("SHOW SESSION STATUS LIKE 'Com_rollback'")

    def rollbacks(begin):
        with begin() as tx:
            return int(tx.execute(counted).one().Value)

    before = rollbacks(db.write)
    assert rollbacks(db.write) == before
    with pytest.raises(ZeroDivisionError), db.write():
        raise ZeroDivisionError
    assert rollbacks(db.write) > before
    assert [rollbacks(db.read), rollbacks(db.read)] == [0, 0]


@pytest.mark.parametrize("db", [POSTGRESQL], indirect=True)
def test_a_reader_begins_no_transaction(db):
    """Each statement has a time of its own, which all of one transaction share."""
    began = text("SELECT now()")
    with db.read() as tx:
        assert tx.execute(began).scalar() < tx.execute(began).scalar()
    with db.write() as tx:
        assert tx.execute(began).scalar() == tx.execute(began).scalar()
