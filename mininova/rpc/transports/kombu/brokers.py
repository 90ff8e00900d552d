"""The brokers that kombu reaches for us, read from a URL, and which promises each of them cannot keep.

A promise is kept by what a broker does: RabbitMQ drops a message whose time is up, a list in Redis does not.  docs/rpc/
brokers.md shows the same table to people, and the tests of the contract run each promise over each broker that
keeps it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mininova.rpc.transports.amqp.address import addresses

#: What begins the URL of a transport by kombu; after it comes a URL of kombu's own.
PREFIX = "kombu+"

# What a broker may be unable to do.
VOUCHES = "vouches for the user that sent a message"
EXPIRES = "drops a message whose time is up"
PAUSES = "keeps a message that failed for a while, and then delivers it again"
HEIRS = "gives what a killed receiver had in hand to the next one, at once"
STOPS = "gives a reader nothing more when it has stopped reading"
KNOWS = "tells an empty queue from one that is not there"
SENSE = "lets a reader go on after a message whose properties are no text"
LASTS = "keeps its messages when all processes end"


@dataclass(frozen=True)
class Broker:
    """A kind of broker.

    :ivar lacks: the promises that it cannot keep
    :ivar is_server: whether its URL names a host
    :ivar returns: whether it returns a message that no queue takes
    :ivar options: makes kombu's options of the path in its URL
    :ivar transport: kombu's name for what speaks to it
    :ivar tend: does with a connection, now and then, what kombu does only where its own event loop runs
    """

    lacks: frozenset[str] = frozenset()
    is_server: bool = False
    returns: bool = False
    options: Callable[[str], Mapping[str, Any]] = lambda path: {}
    transport: str | None = None
    tend: Callable[[Any], object] = lambda connection: None


def _folder(path: str) -> Mapping[str, Any]:
    """Give the folders of a broker that is a folder, and how often kombu looks into them, in seconds."""
    messages = Path(path, "messages")
    messages.mkdir(parents=True, exist_ok=True)
    folders = {"data_folder_in": str(messages), "data_folder_out": str(messages)}
    return {**folders, "control_folder": str(Path(path, "control")), "polling_interval": 0.02}


def _give_to_heirs(connection: Any) -> None:
    """Have Redis give to others what killed receivers had in hand for too long."""
    connection.transport.cycle.maybe_restore_messages()


_HERE = __name__.rpartition(".")[0]

BROKERS: Mapping[str, Broker] = {
    "amqp": Broker(
        frozenset({SENSE}), is_server=True, returns=True, options=lambda path: {"confirm_publish": True},
    ),
    "redis": Broker(frozenset({VOUCHES, EXPIRES, PAUSES, HEIRS, KNOWS, STOPS}), is_server=True, tend=_give_to_heirs),
    "filesystem": Broker(
        frozenset({VOUCHES, EXPIRES, PAUSES, HEIRS, KNOWS}), options=_folder, transport=f"{_HERE}.folder:Transport"
    ),
    "memory": Broker(frozenset({VOUCHES, EXPIRES, PAUSES, LASTS}), options=lambda path: {"polling_interval": 0.005}),
}  # fmt: skip
SCHEMES = tuple(PREFIX + name for name in BROKERS)


@dataclass(frozen=True)
class Place:
    """A broker at some address.

    :ivar url: kombu's own URL
    :ivar user: the user whose name the broker vouches for; None if it vouches for none
    """

    broker: Broker
    url: str
    user: str | None

    def options(self) -> Mapping[str, Any]:
        """Give kombu's options for it; a folder is made if it is not there."""
        return self.broker.options(unquote(urlsplit(self.url).path))


def place(url: str) -> Place:
    """Read a URL.

    :raises ValueError: what is wrong with it, in words that go on after the URL itself, which has a password
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise ValueError(f"begins with none of {', '.join(f'{known}://' for known in SCHEMES)}")
    broker, user = BROKERS[scheme.removeprefix(PREFIX)], None
    if broker.is_server:
        first, *more = addresses(f"amqp://{rest}")
        if more:
            raise ValueError("has several addresses; a transport by kombu has one")
        user = None if VOUCHES in broker.lacks else first.user or "guest"
    elif broker.transport and not rest.strip("/"):
        raise ValueError(f"names no folder; write it like {scheme}:///var/lib/mininova/messages")
    return Place(broker, url.removeprefix(PREFIX), user)
