"""Where notifications go: each driver is one way, and a Notifier has any number of them.

The driver that sends messages is in messaging; notifier.drivers makes those that settings name.
"""

import fnmatch
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mininova.rpc.notify.notification import PRIORITIES, Notification
from mininova.rpc.watch.flow import without_secrets

if TYPE_CHECKING:
    from mininova.rpc.peer import Peer

LOG = logging.getLogger(__name__)

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Driver(ABC):
    """One way for notifications to go."""

    @classmethod
    def make(cls, peer: "Peer", topics: Sequence[str]) -> "Driver":
        """Make the driver for a service.

        :param peer: the service's end of the messaging
        :param topics: what the queues of notifications are called, for a driver that sends messages
        """
        return cls()

    @abstractmethod
    def notify(self, notification: Notification) -> None:
        """Take one.  The notifier logs any exception, and the operation goes on."""

    def flush(self, timeout: float) -> bool:
        """Wait until all that was taken has arrived; tell whether it has, within ``timeout`` seconds."""
        return True

    def stop(self, timeout: float) -> None:
        """Let what was taken arrive, for at most ``timeout`` seconds, and end."""
        self.flush(timeout)


class Several(Driver):
    """Give each notification to several drivers: one that fails costs a line in the log, and the others nothing."""

    def __init__(self, drivers: Iterable[Driver]) -> None:
        self.drivers = list(drivers)

    def notify(self, notification: Notification) -> None:
        """Give it to each of them; this never raises."""
        self._give(notification, self.drivers)

    @staticmethod
    def _give(notification: Notification, drivers: Iterable[Driver]) -> None:
        for driver in drivers:
            try:
                driver.notify(notification)
            except Exception as error:  # the operation that it tells of goes on after any failure
                LOG.error(
                    "notification %s was not sent by %s, and is lost there: %s (message_id %s)",
                    notification.event_type, type(driver).__name__, error, notification.message_id,
                )  # fmt: skip

    def flush(self, timeout: float) -> bool:
        """Flush them all, within one time."""
        until = time.monotonic() + timeout
        return all(driver.flush(max(0.0, until - time.monotonic())) for driver in self.drivers)

    def stop(self, timeout: float) -> None:
        """Stop them all, within one time."""
        until = time.monotonic() + timeout
        for driver in self.drivers:
            driver.stop(max(0.0, until - time.monotonic()))


class Noop(Driver):
    """Drop every notification."""

    def notify(self, notification: Notification) -> None:
        """Forget it."""


class Log(Driver):
    """Write each as a line of JSON to the logger ``mininova.notification.<event type>``, without its secrets."""

    LEVELS: Mapping[str, int] = {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warn": logging.WARNING,
        "error": logging.ERROR,
        "critical": logging.CRITICAL,
    }

    def notify(self, notification: Notification) -> None:
        """Write a line, at the level that is called as its priority is; AUDIT and SAMPLE at INFO."""
        logger = logging.getLogger(f"mininova.notification.{notification.event_type}")
        level = self.LEVELS.get(notification.priority, logging.INFO)
        if logger.isEnabledFor(level):
            told = msgspec.structs.asdict(notification) | {"payload": without_secrets(notification.payload)}
            del told["context"]
            logger.log(level, "%s", _encode(told).decode())


class Kept(Driver):
    """Keep them in memory, for tests: ``Kept().notifications``."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []

    def notify(self, notification: Notification) -> None:
        """Keep it."""
        self.notifications.append(notification)


class Routing(Several):
    """Choose drivers by event type and priority.

    ::

        billing:                                  # a rule; its name is for people
          messaging:                              # a driver
            accepted_events: ["compute.instance.*"]
            rejected_events: ["compute.instance.update"]
            accepted_priorities: [info]

    A driver takes what passes all three lists, whose entries are glob patterns; a list that is left out lets
    everything pass.  A driver that several rules choose takes it once.  (oslo.messaging's routing driver, which
    has no ``rejected_events``.)

    :param rules: rule → driver → lists, as above
    :param make: gives the driver of a name
    :raises ValueError: naming what in the rules cannot be
    """

    LISTS = ("accepted_events", "rejected_events", "accepted_priorities")

    def __init__(self, rules: Any, make: Callable[[str], Driver]) -> None:
        self._rules = [
            (name, _lists(rule, name, lists))
            for rule, drivers in _mapping(rules, "the routing").items()
            for name, lists in _mapping(drivers, f"rule {rule}").items()
        ]
        self._named = {name: make(name) for name, _ in self._rules}
        super().__init__(self._named.values())

    def notify(self, notification: Notification) -> None:
        """Give it to the drivers that take it."""
        chosen = {name for name, lists in self._rules if _passes(lists, notification)}
        self._give(notification, [driver for name, driver in self._named.items() if name in chosen])


def _passes(lists: Mapping[str, Sequence[str]], notification: Notification) -> bool:
    event_type, priority = notification.event_type, notification.priority
    return (
        _fits(event_type, lists.get("accepted_events", ["*"]))
        and not _fits(event_type, lists.get("rejected_events", []))
        and _fits(priority, [pattern.lower() for pattern in lists.get("accepted_priorities", ["*"])])
    )


def _fits(value: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def _lists(rule: str, driver: str, lists: Any) -> dict[str, list[str]]:
    where = f"driver {driver} of rule {rule}"
    found = _mapping(lists, where)
    for name, patterns in found.items():
        if name not in Routing.LISTS:
            raise ValueError(f"{where} has {name!r}; it can have {', '.join(Routing.LISTS)}")
        if not (isinstance(patterns, list) and all(isinstance(pattern, str) for pattern in patterns)):
            raise ValueError(f"{name} of {where} is a list of patterns, not {patterns!r}")
    for pattern in found.get("accepted_priorities", []):
        if not any(_fits(priority, [pattern.lower()]) for priority in PRIORITIES):
            raise ValueError(f"{where} accepts the priority {pattern!r}; there are {', '.join(PRIORITIES)}")
    return found


def _mapping(value: Any, what: str) -> dict[str, Any]:
    """Read a mapping of a YAML file, in which one without entries is None."""
    if not (value is None or (isinstance(value, dict) and all(isinstance(key, str) for key in value))):
        raise ValueError(f"{what} is a mapping of names, not {value!r}")
    return value or {}
