"""What need not be asked of a database server: each question that is left out saves a wait.

SQLAlchemy would ask a server at each transaction whether it is there, and have it roll back what is committed already.
A connection of which nothing was heard is as good as it was; and the end of a server, or of a connection, is heard.
A transaction that only reads is not even begun: at READ COMMITTED, each statement sees what is committed by then, in a
transaction or not.  SQLite is no server, and nothing of this is for it.
"""

import _socket  # eventlet leaves this one alone: what is done with it here never waits
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

PING_AFTER_S = 30.0  # without use: something between us and the server may have forgotten the connection, in silence

_COMMITTED, _USED_AT = "mininova.committed", "mininova.used_at"


#: How a connection is told to refuse writes, for as long as it lives.
_READ_ONLY = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}


def writing(where: URL, **pool: Any) -> Engine:
    """Make an engine for transactions that write, which must reset no connection by itself.

    :param pool: what else create_engine is told, as for ``reading``
    """
    engine = _pinged(create_engine(where, isolation_level="READ COMMITTED", **pool))
    event.listen(engine, "reset", _roll_back)
    return engine


def reading(where: URL, **pool: Any) -> Engine:
    """Make an engine for reading: each statement is a transaction of its own, and the server refuses writes."""
    engine = _pinged(create_engine(where, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **pool))

    def refuse_writes(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_READ_ONLY[engine.dialect.name])

    event.listen(engine, "connect", refuse_writes)
    return engine


def _pinged(engine: Engine) -> Engine:
    """Have an engine ping a connection that it lends only when in doubt."""

    def ping(connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or (time.monotonic() - used_at <= PING_AFTER_S and not _was_heard_of(connection)):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkout", ping)
    event.listen(engine, "checkin", _note_use)
    return engine


def committed(tx: Connection) -> None:
    """Note that there is nothing to roll back."""
    tx.info[_COMMITTED] = True


def _roll_back(connection: Any, record: ConnectionPoolEntry, state: PoolResetState) -> None:
    if not record.info.pop(_COMMITTED, False) and not state.transaction_was_reset:
        connection.rollback()


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _was_heard_of(connection: Any) -> bool:
    """Tell whether there is something to read on a connection that was asked nothing: mostly, that it has ended."""
    plain = _socket.socket(fileno=getattr(connection, "_sock", connection).fileno())
    try:
        plain.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        plain.detach()
    return True
