"""The kinds of value that oslo.config has no type for: broker and database URLs, an IPv4 range, a period, hosts.

Each refuses what it cannot use with a sentence and an example, and never repeats a password.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oslo_config import types

from mininova.notifications.audit_period import AuditPeriod
from mininova.rpc.transports.amqp import address
from mininova.trust import host_lists

TRANSPORT_EXAMPLE = "amqp://user:password@127.0.0.1:5672/"
DATABASE_EXAMPLE = "sqlite:////var/lib/mininova/mininova.sqlite"

TRANSPORT_MEANT = {"kombu": "amqp", "pyamqp": "amqp", "qpid": "amqp", "http": "amqp", "rabbits": "amqps"}

DATABASE_SCHEMES = {"sqlite", "mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg"}
DATABASE_MEANT = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "sqlite3": "sqlite",
}


def redacted(url: str) -> str:
    """Give a URL with its password blotted out, fit for a log line; it need not be a good URL."""
    blotted, found = re.subn(r"(://[^:/@?]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    if not found and "@" in url and "://" not in url:
        blotted = "***" + url[url.rindex("@") :]
    return re.sub(r"(?i)([?&;][^=&;]*(?:pass|pwd|secret)[^=&;]*=)[^&;]*", r"\1***", blotted)


class Text(types.ConfigType):
    """What is written as it is read; a subclass says in ``__call__`` what it takes."""

    def __repr__(self) -> str:
        return self.type_name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__

    def _formatter(self, value: Any) -> str:
        return str(value)


class _URL(Text):
    """A URL of one of some schemes; its port, if it has one, must be a port.

    :param meant: schemes that people write, and the one that they mean
    """

    def __init__(self, name: str, schemes: set[str], meant: Mapping[str, str], example: str) -> None:
        super().__init__(type_name=name)
        self.schemes, self.meant, self.example = schemes, meant, example

    def __call__(self, value: Any) -> str:
        url = str(value).strip()
        scheme, colon, _ = url.partition("://")
        if not colon:
            raise ValueError(f"{redacted(url)!r} is not a URL; write it like {self.example}")
        if scheme not in self.schemes:
            known = self.meant.get(scheme)
            hint = f"write {known}:// instead" if known else f"write it like {self.example}"
            raise ValueError(f"{redacted(url)!r} begins with {scheme}://, which is not spoken here; {hint}")
        self.check_rest(url)
        return url

    def check_rest(self, url: str) -> None:
        """Look at what comes after the scheme.

        :raises ValueError: when it cannot be right
        """
        try:
            _ = urlsplit(url).port
        except ValueError:
            raise ValueError(
                f"{redacted(url)!r} has a port that is no number from 0 to 65535; write it like {self.example} "
                "(in a password, write : as %3A, / as %2F and @ as %40)"
            ) from None


class TransportURL(_URL):
    """The address of a message broker, or the addresses of several."""

    def __init__(self) -> None:
        super().__init__("broker URL", set(address.SCHEMES), TRANSPORT_MEANT, TRANSPORT_EXAMPLE)

    def check_rest(self, url: str) -> None:
        """Want what AMQPTransport can read."""
        try:
            address.addresses(url)
        except ValueError as error:
            raise ValueError(
                f"{redacted(url)!r} {error}; write it like {self.example} (in a password, write : as %3A, / as %2F, "
                "@ as %40 and , as %2C)"
            ) from None


class DatabaseURL(_URL):
    """The address of a database."""

    def __init__(self) -> None:
        super().__init__("database URL", DATABASE_SCHEMES, DATABASE_MEANT, DATABASE_EXAMPLE)

    def check_rest(self, url: str) -> None:
        """Want the name of a database as well, and a host unless it is a file."""
        if url.startswith("sqlite:"):
            if not url.startswith("sqlite://"):
                raise ValueError(f"{url!r} is no SQLite URL; write it like {self.example}")
            return
        super().check_rest(url)
        parts = urlsplit(url)
        if not parts.hostname or not parts.path.strip("/"):
            scheme = parts.scheme
            raise ValueError(
                f"{redacted(url)!r} names no host or no database; write {scheme}://user:password@host/mininova"
            )


class Network(Text):
    """A range of IPv4 addresses, as ``10.0.0.0/16``, with room for at least one instance."""

    def __init__(self) -> None:
        super().__init__(type_name="IPv4 network")

    def __call__(self, value: Any) -> str:
        """Read a range and write it as IPv4 networks are written.

        :raises ValueError: when it is none, or has no room
        """
        try:
            network = ipaddress.IPv4Network(str(value).strip())
        except ValueError as error:
            raise ValueError(f"{value!r} is no IPv4 network ({error}); write it like 10.0.0.0/16") from None
        if network.prefixlen > 29:
            raise ValueError(f"{value!r} has room for no instances to speak of; use a /29 or a wider one")
        return str(network)


class Period(Text):
    """A period that usage is told by, as ``hour`` or ``day@18``."""

    def __init__(self) -> None:
        super().__init__(type_name="audit period")

    def __call__(self, value: Any) -> str:
        """Look whether it is one.

        :raises ValueError: when it is none
        """
        AuditPeriod.parse(text := str(value).strip())
        return text


class HostList(Text):
    """Hosts, as ``edge, node-[0001-1000]``."""

    def __init__(self) -> None:
        super().__init__(type_name="list of hosts")

    def __call__(self, value: Any) -> tuple[str, ...]:
        """Give the name of each.

        :raises ValueError: when one is none
        """
        return value if isinstance(value, tuple) else host_lists.read(str(value))
