"""Messages into text: one a line, in columns.  Pure functions.

``mininova-flow show`` prints with them, and so are the golden traces under tests/traces made, with the times
left out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from mininova.flow.message import Line, messages
from mininova.flow.output import aligned
from mininova.flow.payload import at, listed, plain
from mininova.rpc.watch.flow import MessageEvent

Normalise = Callable[[str], str]

NUMBERS = (0, 5)  # the columns with times

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LONE_UUID = re.compile(rf"(?<![\w-]){_UUID}")


def lines(events: Iterable[MessageEvent], *, times: bool = True, normalise: Normalise = str) -> list[str]:
    """Print the messages of a request, one a line, in columns.

    :param times: with the times of sending and the durations; without them the text is the same every time
    :param normalise: rewrites each cell before the columns are aligned; StableNames is one
    """
    made = messages(events)
    return ["  ".join(row).rstrip() for row in columns(made, times=times, normalise=normalise)]


def columns(made: Sequence[Line], *, times: bool = True, normalise: Normalise = str) -> list[list[str]]:
    """Give each line's cells, padded: [time,] from, → to, kind, message[, duration], change."""
    start = made[0].at if made else 0.0
    many = len({line.server for line in made if line.server}) > 1
    short = short_names(made)
    rows = []
    for line in made:
        sent = [
            short.get(line.source, line.source),
            f"→ {short.get(line.target, line.target)}",
            line.kind,
            f"{line.method} {line.version}".strip(),
        ]
        cells = [shortened(normalise(cell)) for cell in (*sent, _outcome(line, many))]
        if times:
            cells = [f"{(line.at - start) * 1000:.1f}", *cells[:4], duration(line), cells[4]]
        rows.append(cells)
    return aligned(rows, NUMBERS if times else ())


def _outcome(line: Line, many: bool) -> str:
    said = line.error or line.change
    return f"{line.server}: {said}" if many and line.server and said else said


def duration(line: Line) -> str:
    """Write how long a message took; nothing where that is not known."""
    return "" if line.took is None else f"{line.took * 1000:.1f} ms"


def shortened(text: str) -> str:
    """Leave of each uuid its first eight digits, which say which one is meant."""
    return _LONE_UUID.sub(lambda found: f"{found[0][:8]}…", text)


def short_names(made: Iterable[Line]) -> dict[str, str]:
    """Leave the host out where it says nothing: of each service but compute, when there is only one of it."""
    parties = {name for line in made for name in (line.source, line.target) if "." in name and name[-5:] != ".dead"}
    services: dict[str, set[str]] = {}
    for name in parties:
        services.setdefault(name.partition(".")[0], set()).add(name)
    return {min(full): service for service, full in services.items() if len(full) == 1 and service != "compute"}


class StableNames:
    """Replace what differs from run to run, for golden traces: uuid=1, req=1, and hosts in the order of their choice.

    :param events: where compute hosts are found; the first that a trace names becomes host-a
    """

    _RANDOM = re.compile(rf"(req-)?{_UUID}")

    def __init__(self, events: Iterable[MessageEvent] = ()) -> None:
        self._seen: dict[str, dict[str, str]] = {"req": {}, "uuid": {}}
        self._hosts: dict[str, str] = {}
        for host in _compute_hosts(sorted(events, key=lambda event: event.at)):
            self._hosts.setdefault(host, f"host-{chr(ord('a') + len(self._hosts))}")
        names = sorted(map(re.escape, self._hosts), key=len, reverse=True)
        self._host = re.compile(rf"(?<![\w-])({'|'.join(names)})(?![\w-])") if names else None

    def __call__(self, text: str) -> str:
        """Rewrite one piece of text."""
        if self._host:
            text = self._host.sub(lambda found: self._hosts[found[0]], text)
        return self._RANDOM.sub(self._number, text)

    def _number(self, found: re.Match[str]) -> str:
        kind = "req" if found[1] else "uuid"
        return self._seen[kind].setdefault(found[0], f"{kind}={len(self._seen[kind]) + 1}")


def _compute_hosts(events: Iterable[MessageEvent]) -> Iterator[str]:
    for event in events:
        if event.method == "select_destinations" and event.kind == "replied":
            for hosts in listed(plain(event.payload.get("result"))):
                yield from (str(at(host, "host")) for host in listed(hosts))
        for party in (event.sender, event.receiver):
            if party.startswith("compute."):
                yield party.removeprefix("compute.")
