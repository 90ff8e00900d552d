"""From the exchange of the flow to the listeners: each message as it happens, and what changed in the world.

The transport calls ``take`` and must not wait; so this derives and hands on, and drops before it would fall behind.
Payloads stay here: a page asks for the request of a message, which has them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from mininova.flow import screen
from mininova.flow.live import BACKGROUND, Live
from mininova.flow.message import messages
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
        self._live = Live(everything=True)
        self._lock = threading.Lock()  # around the world: the transport fills it, a listener reads it

    def take(self, told: Told) -> None:
        """Take the events of a report."""
        with self._lock:
            self._world.take(told, self._now())
        if self._listeners:
            for message in self._messages([event for events in told.values() for event in events]):
                self._listeners.tell("message", message, background=message["method"] in BACKGROUND)

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

    def _messages(self, events: list[MessageEvent]) -> Iterator[dict[str, Any]]:
        for event in sorted(events, key=lambda event: event.at):
            if known := self._live.remember(event):
                yield message(known)


def message(known: list[MessageEvent]) -> dict[str, Any]:
    """Give a message as the page hears of it.

    :param known: its events up to the one that is told
    """
    event, made = known[-1], messages(known, complete=False)
    kinds = _KINDS.get(event.kind, {event.kind})
    its_own = [line for line in made if line.kind in kinds] or [line for line in made if line.kind == event.pattern]
    line = its_own[-1] if its_own else made[0]
    return {
        **screen.line_data(line, line.at),
        "request_id": event.request_id,
        "what": "failed" if event.kind == "replied" and event.pattern != "call" and event.error else event.kind,
        "error": event.error or "",
        "payload": None,
        "handler": handlers.link(line),
    }
