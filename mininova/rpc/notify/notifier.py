"""Emit notifications: hand what happened to the drivers of a service, which bring it to the listeners.

A notification never breaks the operation that it tells of: what a driver fails at is logged, and the others get it.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any, Self

from mininova.rpc.notify.drivers import Driver, Routing, Several
from mininova.rpc.notify.messaging import Messaging
from mininova.rpc.notify.notification import Notification
from mininova.rpc.peer import Peer


class Notifier:
    """Emit notifications as one publisher.

    :param publisher_id: ``service.host``, as ``compute.host-1``
    :param topic: of the messages, when there are no other drivers
    :param drivers: where they go; without any, to the broker, and each call waits until that has it
    :param wants: says of each whether it goes anywhere; it must not raise
    """

    def __init__(
        self,
        peer: Peer,
        publisher_id: str,
        *,
        topic: str = "notifications",
        drivers: Iterable[Driver] | None = None,
        wants: Callable[[Notification], bool] = lambda notification: True,
    ) -> None:
        self.publisher_id, self._wants = publisher_id, wants
        self._drivers = Several([Messaging(peer, topic=topic)] if drivers is None else drivers)

    def prepare(self, publisher_id: str) -> Self:
        """Give a notifier of another publisher, which tells what it has to tell to the same drivers."""
        other = copy(self)
        other.publisher_id = publisher_id
        return other

    def notify(self, ctxt: Any, priority: str, event_type: str, payload: Any) -> None:
        """Tell something.

        :param priority: one of notification.PRIORITIES
        """
        notification = Notification(
            event_type=event_type, payload=payload, publisher_id=self.publisher_id, priority=priority, context=ctxt
        )
        if self._wants(notification):
            self._drivers.notify(notification)

    def debug(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Emit what helps to find a fault."""
        self.notify(ctxt, "debug", event_type, payload)

    def info(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Tell that something happened as it should."""
        self.notify(ctxt, "info", event_type, payload)

    def warn(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Tell that something is not as it should be."""
        self.notify(ctxt, "warn", event_type, payload)

    def error(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Tell that something went wrong."""
        self.notify(ctxt, "error", event_type, payload)

    def critical(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Emit that the work stands still until an operator helps."""
        self.notify(ctxt, "critical", event_type, payload)

    def audit(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Tell who did what, for an audit."""
        self.notify(ctxt, "audit", event_type, payload)

    def sample(self, ctxt: Any, event_type: str, payload: Any) -> None:
        """Tell a measurement."""
        self.notify(ctxt, "sample", event_type, payload)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was told has arrived; tell whether it has, within ``timeout`` seconds."""
        return self._drivers.flush(timeout)

    def stop(self, timeout: float) -> None:
        """Let what was told arrive, for at most ``timeout`` seconds; nothing more can be told."""
        self._drivers.stop(timeout)


def drivers(
    names: Iterable[str],
    peer: Peer,
    find: Callable[[str], type[Driver]],
    *,
    topics: Sequence[str] = ("notifications",),
    routing: Any = None,
) -> list[Driver]:
    """Make drivers by their names; two names of one driver make it once.

    :param find: gives the driver of a name
    :param topics: where messages go: to each of them
    :param routing: the rules for the driver Routing, as it has them
    :raises ValueError: when the rules cannot be followed
    """
    made: dict[type[Driver], Driver] = {}

    def make(name: str) -> Driver:
        kind = find(name)
        if issubclass(kind, Routing):
            raise ValueError(f"a rule cannot choose the driver {name}")
        if kind not in made:
            made[kind] = kind.make(peer, topics)
        return made[kind]

    chosen = [
        Routing(routing, make) if issubclass(find(name), Routing) else make(name) for name in dict.fromkeys(names)
    ]
    return list(dict.fromkeys(chosen))
