"""From the exchange of the flow to the listeners: each message as it happens, and what changed in the world.

The transport calls ``take`` and must not wait; so this derives and hands on, and drops before it would fall behind.
Payloads stay here: a page asks for the request of a message, which has them.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from mininova.flow import screen
from mininova.flow.live import BACKGROUND
from mininova.flow.message import Line, handled_as, messages
from mininova.flow.reports import Told
from mininova.flow.world import World
from mininova.rpc.watch.flow import MessageEvent
from mininova.web import handlers
from mininova.web.stream import Listeners

#: The kinds of the line that tells of a kind of event, where it has another word.
_KINDS = {"replied": frozenset({"reply", "failed"})}


class Feed:
    """Keeps the world up to date, and tells the listeners.

    :param now: seconds since the epoch
    """

    def __init__(self, world: World, listeners: Listeners, now: Callable[[], float] = time.time) -> None:
        self._world, self._listeners, self._now = world, listeners, now
        self._lock = threading.Lock()  # around the world: the transport fills it, a listener reads it

    def take(self, told: Told) -> None:
        """Take the events of a report."""
        with self._lock:
            self._world.take(told, self._now())
        if self._listeners:
            events = (event for events in told.values() for event in events)
            for event in sorted(events, key=lambda event: event.at):
                self._listeners.tell("message", message(event), background=event.method in BACKGROUND)

    def tell_changes(self) -> None:
        """Tell what changed in the world since the last time: time passes, too, and silence means something."""
        with self._lock:
            changes = self._world.changes(self._now())
        if changes is not None and self._listeners:
            self._listeners.tell("world", changes)

    def world(self) -> dict[str, Any]:
        """Give the whole world."""
        with self._lock:
            return self._world.rows(self._now())


def message(event: MessageEvent) -> dict[str, Any]:
    """Give an event as the page hears of it: from this event alone, so nothing has to be remembered."""
    line = _line(event)
    return {
        **screen.line_data(line, line.at),
        "request_id": event.request_id,
        "what": line.kind if line.kind == "failed" else event.kind,
        "error": event.error or "",
        "payload": None,
        "handler": handlers.link(line),
    }


def _line(event: MessageEvent) -> Line:
    if event.kind == "received" or (event.kind == "replied" and event.pattern != "call" and not event.error):
        return Line(
            at=event.at, source=event.sender, target=handled_as(event), kind=event.pattern, method=event.method,
            version=event.version, took=event.duration, interface=event.interface, message_id=event.message_id,
            size=event.size,
        )  # fmt: skip
    made = messages([event], complete=False)
    kinds = _KINDS.get(event.kind, {event.kind})
    return next((line for line in made if line.kind in kinds), made[0])
