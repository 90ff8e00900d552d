"""The flow as it happens: a line for each message as soon as it is reported.

A printed line cannot be changed, so it says what is known at that moment: a call appears when it is sent, and its
reply when it comes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from mininova.flow import trace
from mininova.flow.message import Line, messages
from mininova.rpc.watch.flow import MessageEvent

MAX_REMEMBERED = 2_000  # messages whose later events still find their beginning
MAX_REMEMBERED_BYTES = 32 * 1024 * 1024  # of their events
MAX_EVENTS = 20  # of one message; a later one makes no line
BACKGROUND = frozenset({"report_state", "get_levels"})  # which every host asks for again and again

_encode = msgspec.json.Encoder().encode


class Live:
    """Turn events into lines one by one.

    :param everything: with heartbeats, which belong to no request
    """

    def __init__(self, *, everything: bool = False) -> None:
        self.everything = everything
        self._begun: OrderedDict[str, list[MessageEvent]] = OrderedDict()
        self._bytes = 0

    def lines(self, events: Iterable[MessageEvent]) -> Iterator[tuple[MessageEvent, Line]]:
        """Give the lines that these events add to what was printed already."""
        for event in sorted(events, key=lambda event: event.at):
            known = self.remember(event)
            if known and (self.everything or event.method not in BACKGROUND):
                yield from ((event, line) for line in _added(known[:-1], known))

    def remember(self, event: MessageEvent) -> list[MessageEvent]:
        """Give the events of a message up to this one; none when it has too many."""
        before = self._begun.get(event.message_id, [])
        if len(before) == MAX_EVENTS:
            return []
        known = self._begun[event.message_id] = [*before, event]
        self._bytes += _size(event)
        while len(self._begun) > MAX_REMEMBERED or self._bytes > MAX_REMEMBERED_BYTES:
            self._bytes -= sum(map(_size, self._begun.popitem(last=False)[1]))
        return known


def _added(before: list[MessageEvent], known: list[MessageEvent]) -> list[Line]:
    return messages(known, complete=False)[len(messages(before, complete=False)) :]


def _size(event: MessageEvent) -> int:
    return len(_encode(event))


def row(event: MessageEvent, line: Line) -> list[str]:
    """Give the cells of one line; the columns are fixed, since the widths to come are not known."""
    moment = datetime.fromtimestamp(line.at, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return [
        f"{moment} {(event.request_id or '')[:12]:12}",
        f"{line.source:20}",
        f"→ {line.target:20}",
        f"{line.kind:12}",
        f"{trace.shortened(f'{line.method} {line.version}'.strip()):30}",
        f"{trace.duration(line):>9}",
        line.error or line.change,
    ]
