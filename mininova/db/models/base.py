"""What the tables of all services have in common: how indexes and constraints are named, and some column types.

The models, here and in the stand-ins, import this.  It must not know any table.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Text
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)  # of Nova's tables; each stand-in has its own

# SQLite counts rows up by itself in a column of exactly this type only.
BigId = BigInteger().with_variant(Integer, "sqlite")


@compiles(Text, "mysql", "mariadb")
def _long_text(*_: Any, **__: Any) -> str:
    """Ask MySQL for texts beyond 64 KiB: the metadata of one instance may take more, and TEXT refuses it."""
    return "MEDIUMTEXT"


class UTCDateTime(TypeDecorator[datetime]):
    """A moment, to the microsecond: always with its zone in Python and always in UTC in the database."""

    impl = DateTime
    cache_ok = True
    python_type = datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Ask MySQL for the fractions of a second, which it would drop."""
        wanted = DATETIME(fsp=6) if dialect.name in ("mysql", "mariadb") else DateTime()
        return dialect.type_descriptor(wanted)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Go to UTC and drop the zone; SQLite, which has no such type, gets a text that sorts as the moments do."""
        return _moment_to_text if dialect.name == "sqlite" else _moment_to_naive

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Put the zone back."""
        return _moment_of_text if dialect.name == "sqlite" else _moment_of_naive


def _moment_to_text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(" ", "microseconds") if moment is not None else None


def _moment_of_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def _moment_to_naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None else None


def _moment_of_naive(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None


class Json(TypeDecorator[Any]):
    """A value kept as JSON text, and read back as the very type it was declared with.

    It is text to every database, so that all of them give it back in the same way.

    :param of: what the text holds, such as ``Flavor`` or ``dict[str, str]``
    :param shared: equal texts give one and the same object: for values that many rows repeat
    """

    impl = Text
    cache_ok = True

    def __init__(self, of: Any, shared: bool = False) -> None:
        super().__init__()
        self.of, self.shared = of, shared
        decode: Callable[[str], Any] = msgspec.json.Decoder(of).decode
        self._decode = lru_cache(maxsize=1024)(decode) if shared else decode

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """Write the text."""
        return lambda value: msgspec.json.encode(value).decode() if value is not None else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """Read the text."""
        decode = self._decode
        return lambda text: decode(text) if text is not None else None
