"""What the connections to a MySQL share, so that each of them begins at once.

PyMySQL speaks TLS with any server that does, and believes each of them unless the URL says whom to believe.  Left
alone, it reads all authorities that the system trusts for each connection, which takes 50 ms, and asks none of them.
"""

from functools import cache
from ssl import SSLContext
from typing import Any

from sqlalchemy import Engine, event


def share(engine: Engine) -> None:
    """Have PyMySQL prepare for TLS once in this process, where the URL says nothing of it; other drivers need nothing.

    This makes the connection, so what sets how it is made must have been told to the engine before.
    """
    if engine.dialect.driver != "pymysql":
        return

    def connect(_dialect: object, _record: object, args: list[Any], how: dict[str, Any]) -> Any:
        return _connection()(*args, **how)

    event.listen(engine, "do_connect", connect)


@cache
def _connection() -> Any:
    from pymysql.connections import Connection  # which is not there where only SQLite or PostgreSQL is used

    class Prepared(Connection):  # type: ignore[misc]
        """A connection to MySQL."""

        _prepared: SSLContext | None = None

        def _create_ssl_ctx(self, wanted: Any) -> Any:
            if wanted:
                return super()._create_ssl_ctx(wanted)
            if Prepared._prepared is None:
                Prepared._prepared = super()._create_ssl_ctx(wanted)
            return Prepared._prepared

    return Prepared
