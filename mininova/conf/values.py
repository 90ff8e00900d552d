"""What settings are made of: a group of them, and the kinds of value that oslo.config has no type for.

The kinds are broker and database URLs, an IPv4 range, an audit period, a list of hosts, an upgrade level.  Each
refuses what it cannot use with a sentence and an example, and never repeats a password.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from oslo_config import cfg, types

from mininova.notifications.audit_period import AuditPeriod
from mininova.rpc.transports import in_process
from mininova.rpc.transports.amqp import address
from mininova.rpc.transports.kombu import brokers
from mininova.rpc.versions import Version
from mininova.service.releases import RELEASES
from mininova.trust import host_lists

CONTROLLER = frozenset({"api", "scheduler", "conductor", "manage", "consoleproxy"})
SERVICES = CONTROLLER | {"compute"}
EVERYONE = SERVICES | {"flow"}


@dataclass(frozen=True)
class Group:
    """A section of a configuration file.

    :param help: a sentence or two for the operator
    :param readers: the programs that read it, without the ``mininova-`` of their names
    :param made_of: its options; a function gives those of another project, whose modules only a reader should load
    """

    name: str
    help: str
    readers: frozenset[str]
    made_of: list[cfg.Opt] | Callable[[], list[cfg.Opt]]

    @property
    def is_ours(self) -> bool:
        """Tell whether we declare the options, and so document them."""
        return isinstance(self.made_of, list)

    @cached_property
    def options(self) -> list[cfg.Opt]:
        """Its options, in the order in which samples and help show them."""
        return self.made_of if isinstance(self.made_of, list) else self.made_of()

    @cached_property
    def by_name(self) -> dict[str, cfg.Opt]:
        """Its options, by their names."""
        return {option.dest: option for option in self.options}

    def value(self, conf: cfg.ConfigOpts, name: str) -> Any:
        """Give the value that settings have for one of the options."""
        return conf[name] if self.name == "DEFAULT" else conf[self.name][name]


TRANSPORT_EXAMPLE = "amqp://user:password@127.0.0.1:5672/"
DATABASE_EXAMPLE = "sqlite:////var/lib/mininova/mininova.sqlite"

TRANSPORT_MEANT = {
    "kombu": "amqp",
    "pyamqp": "amqp",
    "qpid": "amqp",
    "http": "amqp",
    "rabbits": "amqps",
    **{name: f"{brokers.PREFIX}{name}" for name in brokers.BROKERS if name not in ("amqp", "memory")},
}

DATABASE_SCHEMES = {"sqlite", "mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg"}
DATABASE_MEANT = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "sqlite3": "sqlite",
}


def redacted(url: str) -> str:
    """Replace the password in a URL with ***, so that the URL can be logged; the URL may be malformed."""
    blotted, found = re.subn(r"(://[^:/@?]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    if not found and "@" in url and "://" not in url:
        blotted = "***" + url[url.rindex("@") :]
    return re.sub(r"(?i)([?&;][^=&;]*(?:pass|pwd|secret)[^=&;]*=)[^&;]*", r"\1***", blotted)


class Text(types.ConfigType):
    """A value that is printed as it was written; a subclass's ``__call__`` checks it."""

    def __repr__(self) -> str:
        return self.type_name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__

    def _formatter(self, value: Any) -> str:
        return str(value)


class _URL(Text):
    """A URL whose scheme is one of ``schemes``, and whose port, if it has one, is a valid port.

    :param meant: schemes that people write by mistake → the one that they mean
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
            raise ValueError(f"{redacted(url)!r} begins with {scheme}://, which is not supported; {hint}")
        self.check_rest(url)
        return url

    def check_rest(self, url: str) -> None:
        """Check what comes after the scheme.

        :raises ValueError: saying what is wrong with it
        """
        try:
            _ = urlsplit(url).port
        except ValueError:
            raise ValueError(
                f"{redacted(url)!r} has a port that is no number from 0 to 65535; write it like {self.example} "
                "(in a password, write : as %3A, / as %2F and @ as %40)"
            ) from None


class TransportURL(_URL):
    """The address of a message broker, or of several."""

    def __init__(self) -> None:
        schemes = {"memory", *address.SCHEMES, *brokers.SCHEMES}
        super().__init__("broker URL", schemes, TRANSPORT_MEANT, TRANSPORT_EXAMPLE)

    def check_rest(self, url: str) -> None:
        """Accept what one of the transports can read."""
        by_kombu, in_memory = url.startswith(brokers.PREFIX), url.startswith(in_process.SCHEME)
        read = brokers.place if by_kombu else in_process.place if in_memory else address.addresses
        try:
            read(url)
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
        """Require the name of a database, and a host unless it is a file."""
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
        """Read a range, and write it in its usual form.

        :raises ValueError: when it is no range, or has no room
        """
        try:
            network = ipaddress.IPv4Network(str(value).strip())
        except ValueError as error:
            raise ValueError(f"{value!r} is no IPv4 network ({error}); write it like 10.0.0.0/16") from None
        if network.prefixlen > 29:
            raise ValueError(f"{value!r} is too small for instances; use a /29 or a wider range")
        return str(network)


class Period(Text):
    """An audit period, such as ``hour`` or ``day@18``."""

    def __init__(self) -> None:
        super().__init__(type_name="audit period")

    def __call__(self, value: Any) -> str:
        """Check a period.

        :raises ValueError: when it is none
        """
        AuditPeriod.parse(text := str(value).strip())
        return text


class HostList(Text):
    """Hosts, such as ``edge, node-[0001-1000]``."""

    def __init__(self) -> None:
        super().__init__(type_name="list of hosts")

    def __call__(self, value: Any) -> tuple[str, ...]:
        """Give the name of each host.

        :raises ValueError: when one is no host name and no range
        """
        return value if isinstance(value, tuple) else host_lists.read(str(value))


class Level(Text):
    """``auto``, the name of a release, or a version such as ``1.0``."""

    def __init__(self) -> None:
        super().__init__(type_name="level")

    def __call__(self, value: Any) -> str:
        """Check a level.

        :raises ValueError: naming the levels there are
        """
        level = str(value).strip()
        if level == "auto" or level in RELEASES:
            return level
        try:
            return str(Version.parse(level))
        except ValueError:
            known = " or ".join(RELEASES)
            raise ValueError(f"{level!r} is no level: write auto, a release ({known}), or a version as 1.0") from None
