"""How long a database server may be silent, and how long it waits for us.

On a half-open way packets vanish, and no end of it is told.  Left alone, PyMySQL and psycopg wait for an answer there
as long as TCP does, which may be for hours; and the server keeps the locks of a transaction that it hears no more of.
Keepalives would not do: a proxy between us and the server answers them.
"""

import math
from collections.abc import Generator
from typing import Any

from sqlalchemy import Engine, event


def bound(engine: Engine, seconds: float) -> None:
    """Have an engine give up a connection on which nothing was heard for so long; and its server, in a transaction.

    What the URL says of PyMySQL's or libpq's own timeouts stands.
    """
    patience = math.ceil(seconds)
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "do_connect", _psycopg(patience))
    else:
        event.listen(engine, "do_connect", _pymysql(patience))

    def do_not_wait(connection: Any, _record: object) -> None:
        if statement := _not_waiting(engine, patience):
            with connection.cursor() as cursor:
                cursor.execute(statement)
            connection.commit()  # or PostgreSQL forgets it with the first transaction that is rolled back

    event.listen(engine, "connect", do_not_wait)


def _pymysql(patience: int) -> Any:
    def set_timeouts(_dialect: object, _record: object, _args: object, how: dict[str, Any]) -> None:
        for name in ("connect_timeout", "read_timeout", "write_timeout"):
            how.setdefault(name, patience)

    return set_timeouts


def _psycopg(patience: int) -> Any:
    import psycopg  # which is not there where only SQLite or MySQL is used

    class Heard(psycopg.Connection[Any]):
        """A connection that ends when nothing has been heard for so long: libpq has no limit for that."""

        def wait(self, gen: Generator[Any, Any, Any], *args: Any, **how: Any) -> Any:
            """Bring one operation to its end; psycopg's waiting says by 0 that its interval is over."""
            return super().wait(self._heard(gen), interval=patience)

        def _heard(self, asking: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            try:
                wanted = next(asking)
                while True:
                    ready = yield wanted
                    if not ready:
                        self.pgconn.finish()
                        raise psycopg.OperationalError(f"the server has been silent for {patience} s")
                    wanted = asking.send(ready)
            except StopIteration as end:
                return end.value

    def connect(_dialect: object, _record: object, args: list[Any], how: dict[str, Any]) -> Heard:
        how.setdefault("connect_timeout", patience)
        return Heard.connect(*args, **how)

    return connect


def _not_waiting(engine: Engine, patience: int) -> str | None:
    """Give the statement by which a server ends a session that idles in a transaction; MySQL has none."""
    if engine.dialect.name == "postgresql":
        return f"SET idle_in_transaction_session_timeout = '{patience}s'"
    return (
        f"SET SESSION idle_transaction_timeout = {patience}" if getattr(engine.dialect, "is_mariadb", False) else None
    )
