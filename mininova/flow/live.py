"""The flow as it happens: a line for each message as soon as it is reported.

A printed line cannot be changed, so it says what is known at that moment: a call appears when it is sent, and its
reply when it comes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from mininova.flow import trace
from mininova.flow.message import Line, messages
from mininova.rpc.watch.flow import MessageEvent

_REMEMBERED = 2_000  # messages whose later events still find their beginning
_BACKGROUND = frozenset({"report_state"})


class Live:
    """Turn events into lines one by one.

    :param everything: with heartbeats, which belong to no request
    """

    def __init__(self, *, everything: bool = False) -> None:
        self.everything = everything
        self._begun: OrderedDict[str, list[MessageEvent]] = OrderedDict()

    def lines(self, events: Iterable[MessageEvent]) -> Iterator[tuple[MessageEvent, Line]]:
        """Give the lines that these events add to what was printed already."""
        for event in sorted(events, key=lambda event: event.at):
            before = self._begun.get(event.message_id, [])
            known = [*before, event]
            self._begun[event.message_id] = known
            if len(self._begun) > _REMEMBERED:
                self._begun.popitem(last=False)
            if self.everything or event.method not in _BACKGROUND:
                yield from ((event, line) for line in _added(before, known))


def _added(before: list[MessageEvent], known: list[MessageEvent]) -> list[Line]:
    return messages(known, complete=False)[len(messages(before, complete=False)) :]


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
