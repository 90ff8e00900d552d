"""A database gives out connections, waits for a server that is away, and commits or undoes whole transactions."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from mininova import errors
from mininova.db import session
from mininova.db.session import Database
from tests.fixtures.private_databases import SQLITE

ON_SQLITE = pytest.mark.parametrize("db", [SQLITE], indirect=True)

COUNT = text("SELECT count(*) FROM key_pairs")
INSERT = text(
    "INSERT INTO key_pairs (user_id, name, type, fingerprint, public_key, created_at) "
    "VALUES ('ann', :name, 'ssh', '', '', '2026-01-01 00:00:00')"
)


@pytest.fixture
def away(empty_database):
    """The URL of a database, for a pool whose connecting fails."""
    return empty_database(SQLITE).name


def count(db):
    with db.read() as tx:
        return tx.execute(COUNT).scalar()


def fail_to_connect(db, times):
    """Make the next attempts to connect fail; give the list of those that were made."""
    attempts = []

    @event.listens_for(db.engine, "do_connect")
    def connect(*_):
        attempts.append(len(attempts))
        if len(attempts) <= times:
            raise sqlite3.OperationalError("away")

    return attempts


def test_write_commits(db):
    """Leaving write() commits."""
    with db.write() as tx:
        tx.execute(INSERT, {"name": "a"})
    assert count(db) == 1


@ON_SQLITE
def test_what_the_driver_writes_is_committed(db):
    """Also where SQLAlchemy sees none of the statements, as in a reset of a whole cloud."""
    with db.write() as tx:
        tx.connection.driver_connection.execute(str(INSERT), {"name": "a"})
    assert count(db) == 1


def test_an_exception_undoes_everything(db):
    """An exception inside write() rolls back, and reaches the caller."""

    def write_and_fail():
        with db.write() as tx:
            tx.execute(INSERT, {"name": "a"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert count(db) == 0


def test_the_connection_is_good_after_an_exception(db):
    """The next transaction on the connection sees nothing of the failed one."""
    with pytest.raises(ZeroDivisionError), db.write():
        raise ZeroDivisionError
    with db.write() as tx:
        tx.execute(INSERT, {"name": "a"})
    assert count(db) == 1


def test_read_never_commits(db):
    """A write on a connection for reading is undone on SQLite, and refused by a server."""
    with suppress(DBAPIError), db.read() as tx:
        tx.execute(INSERT, {"name": "a"})
    assert count(db) == 0


def test_readers_do_not_wait_for_the_writer(db):
    """While one transaction writes, another reads the state before it."""
    with db.write() as tx:
        tx.execute(INSERT, {"name": "a"})
        assert count(db) == 0


@ON_SQLITE
def test_a_reader_sees_one_moment(db):
    """Two queries of one read() agree, although another transaction writes in between."""
    with db.read() as tx:
        before = tx.execute(COUNT).scalar()
        with db.write() as other:
            other.execute(INSERT, {"name": "a"})
        assert tx.execute(COUNT).scalar() == before


def test_connections_are_kept(db):
    """Many threads share a few connections, which stay open."""
    opened = []
    event.listen(db.reader, "connect", lambda *_: opened.append(1))
    start = threading.Barrier(3 * session.MAX_CONNECTIONS)

    def read_twice(_):
        start.wait()
        return [count(db) for _ in range(2)]

    with ThreadPoolExecutor(start.parties) as threads:
        assert list(threads.map(read_twice, range(start.parties))) == [[0, 0]] * start.parties
    assert len(opened) <= session.MAX_CONNECTIONS


@ON_SQLITE
def test_a_process_whose_connections_are_all_busy(db, monkeypatch):
    """A transaction that waited too long for a connection gets an error that says why."""
    monkeypatch.setattr(session, "POOL_TIMEOUT_S", 0.0)
    other = Database(db.name)
    with ExitStack() as busy:
        for _ in range(session.MAX_CONNECTIONS):
            busy.enter_context(other.read())
        with pytest.raises(errors.DatabaseAway, match=r"All our connections to the database .* were busy for 0 s"):
            count(other)
    assert count(other) == 0
    other.close()


@ON_SQLITE
def test_writers_of_two_processes_take_turns(db):
    """A second pool, as another process has, waits for the first one's transaction and sees its writes."""
    elsewhere = Database(db.name)
    began, seen = threading.Event(), []

    def write_elsewhere():
        began.set()
        with elsewhere.write() as tx:
            seen.append(tx.execute(COUNT).scalar())

    thread = threading.Thread(target=write_elsewhere)
    with db.write() as tx:
        thread.start()
        began.wait()
        tx.execute(INSERT, {"name": "a"})
    thread.join()
    elsewhere.close()
    assert seen == [1]


@ON_SQLITE
def test_a_writer_does_not_wait_without_end(db, monkeypatch):
    """Another process writes for too long: a writer gets an error, while a reader reads."""
    monkeypatch.setattr(session, "BUSY_TIMEOUT_S", 0.2)
    elsewhere = Database(db.name)
    with db.write():
        with pytest.raises(errors.DatabaseAway, match="has been written to for 0 s"), elsewhere.write():
            pass
        assert count(elsewhere) == 0
    elsewhere.close()


HELD = """
import eventlet
eventlet.monkey_patch()
import sqlite3, sys
from mininova import errors
from mininova.db import session
from mininova.db.session import Database

def tick():
    for _ in range(5):
        eventlet.sleep(0.01)
    holder.execute("ROLLBACK")

session.BUSY_TIMEOUT_S = 30.0
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
eventlet.spawn(tick)
try:
    with Database("sqlite:///" + sys.argv[1]).write():
        print("written")
except errors.DatabaseAway:
    print("held up")
"""


@ON_SQLITE
def test_a_writer_that_waits_does_not_hold_up_other_green_threads(db):
    """SQLite's own waiting would stop the whole process; ours lets the others run, and one of them ends the wait."""
    path = str(db.engine.url.database)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HELD, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "written\n"


@ON_SQLITE
def test_a_full_disk_is_no_failure_of_ours(db):
    """The transaction is undone, and its caller is told to come again."""
    with db.read() as tx:
        tx.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(errors.DatabaseAway, match="disk is full"), db.write() as tx:
        tx.execute(INSERT, {"name": "x" * 10_000_000})
    db.engine.dispose()  # with the connection that has so little room
    assert count(db) == 0


def test_a_database_that_comes_back_was_worth_the_wait(away):
    """While the database is away, connecting is tried again; then the caller goes on."""
    db = Database(away, connect_retry=60)
    attempts = fail_to_connect(db, times=2)
    assert count(db) == 0
    assert len(attempts) == 3
    db.close()


def test_the_log_says_once_that_a_database_is_away(away, caplog):
    """And once that it is back; the attempts between are many, with those of other threads."""
    db = Database(away, connect_retry=60)
    fail_to_connect(db, times=3)
    with caplog.at_level("INFO", logger="mininova.db.session"):
        count(db)
        count(db)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "away" in caplog.messages[0]
    assert "is back" in caplog.messages[1]
    db.close()


def test_many_that_wait_do_not_try_as_often_as_many(away):
    """Else a service with much in hand spends its time on it (tools/chaos.py --database mariadb: seed 253)."""
    db = Database(away, connect_retry=1.5)
    attempts, crowd = fail_to_connect(db, times=1_000_000), 20

    def wait():
        with pytest.raises(errors.DatabaseAway):
            count(db)

    threads = [threading.Thread(target=wait) for _ in range(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) < 3.5 * crowd  # the first and the last of each, and a few more; each alone would make five
    db.close()


def test_all_that_wait_go_on_when_one_gets_through(away):
    """The pauses of many are long, and not waited out."""
    db = Database(away, connect_retry=60)
    fail_to_connect(db, times=30)
    threads = [threading.Thread(target=count, args=[db]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    db.close()


def test_a_database_that_stays_away_is_given_up(away):
    """After connect_retry seconds the error has the database and the reason."""
    db = Database(away, connect_retry=0)
    fail_to_connect(db, times=1)
    with pytest.raises(errors.DatabaseAway, match=r"mininova.sqlite cannot be reached: away"):
        count(db)
    db.close()


def test_patience_may_be_less_for_once(away):
    """One call may wait less than others."""
    db = Database(away, connect_retry=60)
    attempts = fail_to_connect(db, times=1)
    with pytest.raises(errors.DatabaseAway), db.read(patience=0):
        pass
    assert len(attempts) == 1
    db.close()


def test_closing_ends_the_waiting(away):
    """A caller that waits for a database gets an error at once when the process closes it."""
    db = Database(away, connect_retry=60)

    @event.listens_for(db.engine, "do_connect")
    def connect(*_):
        db.close()
        raise sqlite3.OperationalError("away")

    with pytest.raises(errors.DatabaseAway):
        count(db)


def test_an_error_in_a_statement_is_not_waited_for(db):
    """Only connecting is tried again: a wrong statement fails at once."""
    with pytest.raises(DBAPIError, match="nowhere"), db.read() as tx:
        tx.execute(text("SELECT * FROM nowhere"))


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mininova.sqlite", "is no URL such as"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("oracle9://ann:secret@db/nova", "oracle9"),
        ("mysql+nosuchdriver://ann:secret@db/nova", "nosuchdriver"),
        ("mysql+nosuchdriver://db/nova?user=ann&password=secret", "nosuchdriver"),
    ],
)
def test_a_bad_url_is_a_setting_to_correct(url, complaint):
    """A URL that leads nowhere is a ConfigError that quotes the option without the password."""
    with pytest.raises(errors.ConfigError, match=complaint) as caught:
        Database(url)
    assert "[database] connection" in str(caught.value)
    assert "secret" not in str(caught.value)
