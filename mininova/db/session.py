"""The way to the database: a pool of connections, and the two kinds of transaction.

``read()`` and ``write()`` lend a SQLAlchemy Connection that is inside a transaction; the query modules take it as
their first argument, ``tx``.  A reader of a database server needs no transaction, since each of its statements sees
what is committed by then in any case: so each is its own, and neither BEGIN nor ROLLBACK is sent and waited for.
Waiting for a database that is away happens here, while a connection is acquired, and nowhere else.  Nothing here knows
a table.  Hold no transaction over anything that is not SQL.
"""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mininova import errors
from mininova.db import expressions, servers, silence, tls

__all__ = ["Connection", "Database"]

LOG = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, sqlite3.OperationalError)
# How PostgreSQL (SQLSTATE) and MySQL (number) refuse one of two transactions that wait for each other, or too long.
CROSSED = {"40001", "40P01", "55P03", 1205, 1213}
NO_EXPRESSION = {1139}  # MySQL's number for a regular expression that it cannot read
# How they say that there is no room left, and how SQLite says that another process is at it.
FULL = {"53100", 1021, 1114, sqlite3.SQLITE_FULL}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
FIRST_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0  # between two attempts to reach the database
FIRST_LOOK_S, MAX_LOOK_S = 0.0005, 0.005  # between two attempts to begin, while another process writes to SQLite

MAX_CONNECTIONS = (
    20  # of one process, to servers half of them for readers; a transaction that finds all of them lent waits
)
POOL_TIMEOUT_S = 30.0  # for which it waits
BUSY_TIMEOUT_S = 30.0  # for which a writer to SQLite waits for the writers before it, here and in other processes
SQLITE_PRAGMAS = (
    "journal_mode=WAL",  # readers and the writer do not wait for each other
    "synchronous=NORMAL",  # a loss of power may lose the last commits, never the database
    "foreign_keys=ON",
)


class Database:
    """One database, as one process uses it.

    :param url: as SQLAlchemy writes it: SQLite (a file), MySQL/MariaDB or PostgreSQL
    :param connect_retry: seconds to go on trying when the database is away
    :param answer_timeout: seconds for which a server may be silent; None means as long as it likes
    :ivar engine: lends the connections of writers; ``reader`` those of readers, and is the same one on SQLite
    :raises errors.ConfigError: when nothing can be done with the URL
    """

    def __init__(self, url: str, *, connect_retry: float = 60.0, answer_timeout: float | None = 60.0) -> None:
        where = _parse(url)
        self.name = _named(where)
        self._sqlite = where.get_backend_name() == "sqlite"
        self.engine = _engine(where)
        self.reader = self.engine if self._sqlite else _engine(where, reads=True)
        if not self._sqlite and answer_timeout is not None:
            silence.bound(self.engine, answer_timeout)
            silence.bound(self.reader, answer_timeout)
        tls.share(self.engine)
        tls.share(self.reader)
        self._connect_retry = connect_retry
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._is_away, self._waiting, self._back = False, 0, threading.Condition()

    @contextmanager
    def read(self, *, patience: float | None = None) -> Iterator[Connection]:
        """Lend a connection for reading; it locks no writer out, and on SQLite everything it sees is of one moment.

        A write on it is undone on SQLite, and refused by a server.

        :param patience: seconds to go on trying when the database is away; None means ``connect_retry``
        :raises errors.DatabaseAway: when it stayed away, or went away meanwhile
        :raises errors.InvalidInput: when it takes no such value
        """
        with self._lent(self.reader, "BEGIN", patience) as tx, self._explained():
            yield tx

    @contextmanager
    def write(self, *, patience: float | None = None) -> Iterator[Connection]:
        """Lend a connection for one transaction: committed on leaving, rolled back when an exception leaves.

        :param patience: seconds to go on trying when the database is away; None means ``connect_retry``
        :raises errors.DatabaseAway: when it stayed away, went away meanwhile, or gave another transaction
            precedence; nothing was done
        :raises errors.InvalidInput: when it takes no such value; nothing was done
        """
        with self._turn(), self._lent(self.engine, "BEGIN IMMEDIATE", patience) as tx, self._explained():
            tx.begin()  # else SQLAlchemy would commit nothing where only the driver's own connection was used
            yield tx
            tx.commit()
            servers.committed(tx)

    def close(self) -> None:
        """Give all connections up, and end the waiting of threads that still try to get one."""
        self._closed.set()
        with self._back:
            self._back.notify_all()
        self.engine.dispose()
        self.reader.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Have the writers of this process queue here on SQLite, which lets one write at a time.

        In SQLite's own queue they would sleep, and under eventlet the writer that they wait for would sleep with them.
        """
        if not self._sqlite:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_TIMEOUT_S):
            raise errors.DatabaseAway(f"The database {self.name} has been written to for {BUSY_TIMEOUT_S:.0f} s")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the error of a statement into one that the caller understands; a bug of ours stays as it is."""
        try:
            yield
        except DBAPIError as error:
            words = getattr(error.orig, "args", ()) or (error,)
            codes = {getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorcode", None), words[0]}
            reason = str(words[-1]).partition("\n")[0]
            if isinstance(error, DataError) or codes & NO_EXPRESSION:
                raise errors.InvalidInput(reason=f"the database takes no such value: {reason}") from error
            if error.connection_invalidated or codes & (CROSSED | FULL | BUSY):
                raise errors.DatabaseAway(f"The database {self.name} gave a transaction up: {reason}") from error
            raise

    @contextmanager
    def _lent(self, engine: Engine, begin: str, patience: float | None) -> Iterator[Connection]:
        """Get a connection, and give it back, which rolls back what was not committed.

        A server that has ended meanwhile has rolled it back itself.  What was read is as good as before, and the error
        of a statement must not be hidden by a second one.
        """
        tx = self._acquire(engine, begin, patience)
        try:
            yield tx
        finally:
            try:
                tx.close()
            except DBAPIError as error:  # the pool has the connection again, and has thrown it away
                LOG.debug("The database %s ended before a connection was given back: %s", self.name, error)

    def _acquire(self, engine: Engine, begin: str, patience: float | None) -> Connection:
        deadline = time.monotonic() + (self._connect_retry if patience is None else patience)
        for pause in _pauses(FIRST_PAUSE_S, MAX_PAUSE_S):
            try:
                tx = self._connect(engine, begin)
            except PoolTimeout as error:
                busy = f"All our connections to the database {self.name} were busy"
                raise errors.DatabaseAway(f"{busy} for {POOL_TIMEOUT_S:.0f} s") from error
            except AWAY as error:
                reason = str(getattr(error, "orig", error)).partition("\n")[0]  # then guesses follow
                if (left := deadline - time.monotonic()) < pause or self._closed.is_set():
                    raise errors.DatabaseAway(f"The database {self.name} cannot be reached: {reason}") from error
                self._say_it_is_away(reason)
            else:
                self._say_it_is_back()
                return tx
            self._wait_until_it_is_back(pause, left)
        raise AssertionError("the pauses never end")

    def _wait_until_it_is_back(self, pause: float, longest: float) -> None:
        """Wait until another transaction has got a connection, or for our next try: the more wait, the later."""
        with self._back:
            self._waiting += 1
            pause = min(pause * self._waiting, longest)
            try:
                self._back.wait_for(lambda: not self._is_away or self._closed.is_set(), pause)
            finally:
                self._waiting -= 1

    def _say_it_is_away(self, reason: str) -> None:
        """Log it once: each transaction tries again and again, and finds the same."""
        if not self._is_away:
            LOG.warning("The database %s is away (%s); trying again until it is back", self.name, reason)
        self._is_away = True

    def _say_it_is_back(self) -> None:
        if self._is_away:
            LOG.info("The database %s is back", self.name)
            with self._back:
                self._is_away = False
                self._back.notify_all()

    def _connect(self, engine: Engine, begin: str) -> Connection:
        tx = engine.connect()
        if self._sqlite:  # whose driver, left alone, begins no transaction; the others begin with the first statement
            try:
                self._begin(tx.connection.driver_connection, begin)
            except BaseException:
                tx.close()
                raise
        return tx

    def _begin(self, connection: Any, begin: str) -> None:
        """Begin a transaction on SQLite, once no other process writes.

        SQLite would wait by itself, and all green threads of this process with it.

        :raises errors.DatabaseAway: when that takes too long
        """
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        for pause in _pauses(FIRST_LOOK_S, MAX_LOOK_S):
            try:
                connection.execute(begin)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in BUSY:
                    raise
            if time.monotonic() + pause > deadline or self._closed.wait(pause):
                raise errors.DatabaseAway(f"The database {self.name} has been written to for {BUSY_TIMEOUT_S:.0f} s")


def _pauses(longest: float, most: float) -> Iterator[float]:
    """Give the seconds to wait before each further attempt: doubling, and never in step with other processes.

    :param longest: the first of them
    """
    while True:
        yield longest * random.uniform(0.5, 1.0)
        longest = min(2 * longest, most)


def _parse(url: str) -> URL:
    try:
        where = make_url(url)
    except ArgumentError as error:
        # It is not quoted, since there may be a password in it.
        raise errors.ConfigError("[database] connection is no URL such as sqlite:////var/lib/mininova.db") from error
    if where.get_backend_name() == "sqlite" and where.database in (None, "", ":memory:"):
        raise errors.ConfigError(f"[database] connection {url} names no file, which several processes could share")
    return where


def _named(where: URL) -> str:
    """Write a URL for people, without its password, which may be in the query as well."""
    return where.set(query={}).render_as_string(hide_password=True)


def _engine(where: URL, *, reads: bool = False) -> Engine:
    # Connections beyond pool_size would be closed when given back and opened again, which costs more than to wait.
    pool: dict[str, Any] = {"max_overflow": 0, "pool_timeout": POOL_TIMEOUT_S, "pool_use_lifo": True}
    try:
        if where.get_backend_name() != "sqlite":
            # SQLAlchemy looks for forgotten joins on SQLite only: with MySQL it sees some where there are none.
            pool |= {"pool_size": MAX_CONNECTIONS // 2, "pool_reset_on_return": None, "enable_from_linting": False}
            return servers.reading(where, **pool) if reads else servers.writing(where, **pool)
        how = {"timeout": 0, "isolation_level": None}
        engine = create_engine(where, connect_args=how, pool_size=MAX_CONNECTIONS, **pool)
    except (NoSuchModuleError, ImportError) as error:
        name = _named(where)
        raise errors.ConfigError(f"[database] connection {name} needs a driver that is not here: {error}") from error
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Set a new connection to SQLite up, and have it match with our expressions: SQLAlchemy's are Python's."""
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("regexp", 2, expressions.matches, deterministic=True)
