"""Where brokers are: the URL that an operator writes, read into addresses.

The form is oslo.messaging's: ``amqp://user:password@host1:5672,user:password@host2:5672/virtual_host``.  ``rabbit://``
means the same, ``amqps://`` means with TLS.  AMQPTransport connects to one of the addresses, and to the next when that
one goes away; mininova/conf/values.py asks here whether a URL is good.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

#: Each scheme, and whether it means TLS.
SCHEMES = {"amqp": False, "rabbit": False, "amqps": True}

_PORTS = {False: 5672, True: 5671}  # AMQP's own, without TLS and with it


@dataclass(frozen=True, kw_only=True)
class Address:
    """One broker, and who we are there.

    :param user: None to be the broker's guest
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    virtual_host: str = "/"
    tls: bool = False

    def __str__(self) -> str:
        """Write it without its password: host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Passwords(Protocol):
    """The passwords of a user whose password changes while the process runs."""

    def to_try(self) -> Sequence[str]:
        """Give those that may be good, the likeliest first."""

    def worked(self, password: str) -> None:
        """Hear which one was good."""


def addresses(url: str) -> list[Address]:
    """Read a URL.

    :raises ValueError: what is wrong with it, in words that go on after the URL itself, which has a password
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise ValueError(f"begins with none of {', '.join(f'{known}://' for known in SCHEMES)}")
    if "?" in rest or "#" in rest:
        raise ValueError("has a ? or a #, after which nothing is read; in a password, write them as %3F and %23")
    places, _, virtual_host = rest.partition("/")
    found = [_address(place, unquote(virtual_host) or "/", tls=SCHEMES[scheme]) for place in places.split(",")]
    if len({address.user for address in found}) > 1:
        # Receivers know us by our broker user: it cannot change with the broker in use.
        raise ValueError("has several users; all its addresses need the same one, each written as user:password@host")
    return found


def _address(place: str, virtual_host: str, *, tls: bool) -> Address:
    try:
        parts = urlsplit(f"//{place}")
    except ValueError:
        raise ValueError("has a [ without a ]") from None
    if not parts.hostname:
        raise ValueError("names no host")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is no number from 0 to 65535") from None
    return Address(
        host=parts.hostname,
        port=_PORTS[tls] if port is None else port,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        virtual_host=virtual_host,
        tls=tls,
    )
