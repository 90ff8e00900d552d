"""The services of the world: which are up, and what they have in hand.

They are known by what they send and take, and by their heartbeats, whose absence means something.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mininova.flow.payload import at as at_path
from mininova.flow.world.common import (
    ENDED,
    LOST_AFTER_S,
    MAX_MESSAGES,
    MAX_SERVICES,
    NAME,
    TAKEN,
    Row,
    party_of,
    put,
)
from mininova.rpc.watch.flow import MessageEvent

MAX_NAME_CHARACTERS, MAX_VERSION_CHARACTERS = 255, 20


class Beat(NamedTuple):
    """What a heartbeat says."""

    name: str = ""
    version: str = ""


@dataclass
class _Service:
    name: str
    last_heard: float
    version: str = ""
    by: str = ""  # the process
    reports: bool = False  # by heartbeats, whose absence means something
    disabled: bool = False
    forced_down: bool = False
    stopped: bool = False
    in_hand: dict[str, float] = field(default_factory=dict)  # by message: since when


class Services:
    """Which processes there are, and on which hosts; they are known by what they send, take and report."""

    def __init__(self, late_after: float, down_after: float) -> None:
        self._late_after, self._down_after = late_after, down_after
        self._known: OrderedDict[str, _Service] = OrderedDict()
        self._holders: OrderedDict[str, str] = OrderedDict()  # message → who has it in hand
        self._standing_for_others: set[str] = set()
        self._touched = set[str]()
        self._states: dict[str, str] = {}  # as the last changes said

    def take(self, event: MessageEvent, at: float) -> None:
        name = party_of(event)
        if (service := self._heard(name, at)) is None:
            return
        if event.kind in TAKEN:
            self._let_go(event.message_id)
            service.in_hand[event.message_id] = at
            self._holders[event.message_id] = name
            if len(self._holders) > MAX_MESSAGES:
                self._let_go(next(iter(self._holders)))
        elif event.kind in ENDED:
            self._let_go(event.message_id)

    def tells(self, event: MessageEvent, at: float, believed: bool) -> None:
        """A process says of itself that it is there, or is about to stop; of no other."""
        beat, stopping = beat_in(event.payload.get("service")), event.payload.get("stopping") is True
        if believed and beat.name == event.sender:
            self.reports(beat, at)
        for service in self._known.values() if stopping else ():
            if event.sender in (service.name, service.by):
                service.stopped = True
                self._touched.add(service.name)

    def reports(self, beat: Beat, at: float, sender: str = "") -> None:
        """A service reports itself.

        :param sender: the process whose message it was, if it was one
        """
        if (service := self._heard(beat.name, at)) is not None:
            service.reports, service.stopped, service.version = True, False, beat.version
            service.by = sender or beat.name
            if service.by != service.name:
                self._standing_for_others.add(service.by)

    def operated(self, said: Any) -> None:
        """An operator enables, disables or forces down a service.

        :param said: of the service, as the Compute API shows it then
        """
        if (service := self._known.get(beat_in(said).name)) is not None:
            service.disabled = said.get("status", service.disabled) in (True, "disabled")
            service.forced_down = said.get("forced_down", service.forced_down) is True
            self._touched.add(service.name)

    def _heard(self, name: str, at: float) -> _Service | None:
        if not NAME.fullmatch(name):
            return None
        if (service := self._known.get(name)) is None:
            service = _Service(name, at)
            put(self._known, name, service, MAX_SERVICES)
        service.last_heard = max(service.last_heard, at)
        self._touched.add(name)
        return service

    def _let_go(self, message_id: str) -> None:
        if (holder := self._known.get(self._holders.pop(message_id, ""))) is not None:
            holder.in_hand.pop(message_id, None)
            self._touched.add(holder.name)

    def rows(self, now: float) -> list[Row]:
        return [self._row(self._known[name], now) for name in sorted(self._known) if self._is_one(name)]

    def changes(self, now: float) -> list[Row]:
        """Give those that were heard of, and those whose silence means something else now."""
        states = {name: self._state(service, now) for name, service in self._known.items()}
        changed = self._touched | {name for name, state in states.items() if self._states.get(name) != state}
        self._states, self._touched = states, set()
        return [self._row(self._known[name], now) for name in sorted(changed) if self._is_one(name)]

    def _is_one(self, name: str) -> bool:
        """Tell whether it is a service, and no process that stands for the services of many hosts."""
        return name in self._known and (self._known[name].reports or name not in self._standing_for_others)

    def _row(self, service: _Service, now: float) -> Row:
        kind, _, host = service.name.partition(".")
        return {
            "name": service.name,
            "binary": f"nova-{kind}",
            "host": host,
            "state": self._state(service, now),
            "version": service.version,
            "last_heard": service.last_heard,
            "by": service.by if service.by != service.name else "",
            "in_flight": sum(since > now - LOST_AFTER_S for since in service.in_hand.values()),
        }

    def _state(self, service: _Service, now: float) -> str:
        silent = now - service.last_heard
        if service.stopped or service.forced_down or (service.reports and silent > self._down_after):
            return "down"
        if silent > self._late_after:
            return "unknown"
        return "disabled" if service.disabled else "up"


def beat_in(said: Any) -> Beat:
    """Read a heartbeat, or any Service as plain data; what is none has no name."""
    binary, host = at_path(said, "binary"), at_path(said, "host")
    if not (isinstance(binary, str) and isinstance(host, str)):
        return Beat()
    topic = binary.removeprefix("nova-")
    version = str(at_path(said, "versions", topic) or "")[:MAX_VERSION_CHARACTERS]
    return Beat(f"{topic}.{host}"[:MAX_NAME_CHARACTERS], version)
