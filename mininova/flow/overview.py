"""What ``mininova-flow watch`` shows: the map of the cloud and, below it, the last messages, in one terminal.

The map has the services of the controller, the hosts with a block for each of their instances, and the queues in which
messages wait.  The more hosts there are, the less is shown of each, so that a thousand fit.  Each state has a sign of
its own beside its colour.  ``draw`` is a pure function; an Overview gathers what it draws.
"""

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from mininova.flow import drawing, trace
from mininova.flow.changes import STATE_WRITTEN
from mininova.flow.diagram import TROUBLE, ticks
from mininova.flow.live import Live
from mininova.flow.message import Line
from mininova.flow.output import printable
from mininova.flow.reports import Told
from mininova.flow.world import World

Row = Mapping[str, Any]

REFRESH_PER_S = 4
MOST_MESSAGES = 200  # that are kept for a screen
_NAME_CELLS = 16  # of who sends, and of who receives
MOST_BLOCKS = 40  # of one host
MIN_MESSAGES = 6  # rows of the screen that the map leaves to messages

SERVICES = {"up": ("●", "green"), "down": ("▼", "bold red"), "disabled": ("◐", "yellow"), "unknown": ("○", "dim")}
INSTANCES = {
    "active": ("■", "green"),
    "stopped": ("□", "dim"),
    "paused": ("‖", "cyan"),
    "suspended": ("▽", "cyan"),
    "resized": ("◧", "magenta"),
    "rescued": ("▲", "magenta"),
    "shelved": ("▫", "dim"),
    "shelved_offloaded": ("▫", "dim"),
    "error": ("✗", "bold red"),
}
BUSY, OTHER = ("◆", "yellow"), ("▪", "dim")
NOTHING = "Nothing was sent since you began to watch: boot a server, and each message appears here."
LEGEND = "Ctrl-C ends   ■ active  ◆ at work  □ stopped  ✗ error   hosts: ● up  ▼ down  ◐ disabled  ○ silent  ⇄ in hand"


class Overview:
    """Gathers what is drawn: the world, and the last messages.

    :param world: what was known before
    :param everything: with heartbeats
    """

    def __init__(self, world: World, *, everything: bool = False, now: Callable[[], float] = time.time) -> None:
        self._world, self._now = world, now
        self._live = Live(everything=everything)
        self._said = deque[Line](maxlen=MOST_MESSAGES)
        self._lock = threading.Lock()  # the transport's thread tells, and that of the screen draws
        self._reports = 0
        self._drawn: tuple[tuple[int, ...], Text] = ((), Text())  # for what, and what

    def take(self, told: Told) -> None:
        """Take the events of a report."""
        now = self._now()
        with self._lock:
            self._reports += 1
            self._world.take(told, now)
            events = (event for events in told.values() for event in events)
            self._said.extend(replace(line, at=min(line.at, now)) for _, line in self._live.lines(events))

    def drawn(self, width: int, height: int) -> Text:
        """Draw what is known now; without news once a second, for silence means something, too."""
        now = self._now()
        with self._lock:
            shows = (width, height, self._reports, int(now))
            if shows == self._drawn[0]:
                return self._drawn[1]
            rows, said = self._world.rows(now), sorted(self._said, key=lambda line: line.at)
        self._drawn = shows, draw(rows, said, width, height)
        return self._drawn[1]


def draw(world: Row, said: Sequence[Line], width: int, height: int) -> Text:
    """Draw the map and the last messages, in so many rows and cells.

    :param world: as ``World.rows`` gives it
    :param said: the last messages, the newest last
    """
    top = [_title(world), *_controllers(world), _queues(world), Text()]
    hosts = _hosts(world, width, height - len(top) - MIN_MESSAGES - 3)
    rows = [*top, *hosts, Text("─" * width, "dim")]
    room = max(0, height - len(rows) - 1)
    rows += [_message(line) for line in (said[-room:] if room else [])] or [Text(NOTHING, "dim")]
    rows += [Text()] * (height - len(rows) - 1) + [Text(LEGEND, "dim")]
    for row in rows:
        row.truncate(width, overflow="ellipsis")
    return Text("\n").join(rows[:height])


def _title(world: Row) -> Text:
    computes = [row for row in world["services"] if row["binary"] == "nova-compute"]
    states = Counter(row["state"] for row in computes)
    text = Text("mininova", "bold")
    text.append(f"  {_counted(len(computes), 'host')}")
    for state in ("down", "disabled", "unknown"):
        if states[state]:
            text.append(f", {states[state]} {state}", SERVICES[state][1])
    return text.append(f"   {_counted(len(world['instances']), 'instance')}").append_text(_tally(world["instances"]))


def _counted(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def _tally(instances: Sequence[Row]) -> Text:
    """Count instances by their signs, the most frequent first."""
    text = Text()
    for (sign, style), count in Counter(map(_sign, instances)).most_common():
        text.append(f"  {sign} {count}", style)
    return text


def _sign(instance: Row) -> tuple[str, str]:
    if instance["vm_state"] != "error" and instance["task_state"]:
        return BUSY
    return INSTANCES.get(instance["vm_state"] or "", OTHER)


def _controllers(world: Row) -> list[Text]:
    """Show each service of the controller, those of a kind in one row."""
    rows: dict[str, Text] = {}
    for service in world["services"]:
        if service["binary"] != "nova-compute":
            text = rows.setdefault(service["binary"], Text(f"  {service['binary'].removeprefix('nova-'):<10}", "bold"))
            text.append_text(_service(service)).append("   ")
    return list(rows.values())


def _service(service: Row) -> Text:
    sign, style = SERVICES[service["state"]]
    text = Text(f"{sign} ", style).append(printable(service["host"]), style if service["state"] != "up" else "")
    if service["version"]:
        text.append(f" {printable(service['version'])}", "dim")
    return text.append(_in_hand(service), "cyan")


def _queues(world: Row) -> Text:
    text = Text("  queues    ", "bold")
    waiting = sorted((queue for queue in world["queues"] if queue["depth"]), key=lambda queue: -queue["depth"])
    for queue in waiting:
        text.append(printable(queue["name"])).append(f" {queue['depth']}   ", "bold yellow")
    return text if waiting else text.append("empty", "dim")


# ---- hosts


def _hosts(world: Row, width: int, height: int) -> list[Text]:
    """Show the hosts in the most telling way for which there is room."""
    placed: dict[str, list[Row]] = {}
    for instance in world["instances"]:
        placed.setdefault(instance["host"] or "", []).append(instance)
    hosts = sorted((row for row in world["services"] if row["binary"] == "nova-compute"), key=_in_order)
    nowhere = placed.pop("", [])
    rows = _homeless(nowhere)
    room = max(1, height - len(rows))
    longest = max((len(host["host"]) for host in hosts), default=0)
    at_most = room * max(1, width // (longest + len("  ● ") + len(" ⇄1  ")))  # hosts, however little each shows
    usual = next(iter(Counter(filter(None, (host["version"] for host in hosts))).most_common(1)), ("", 0))[0]
    for way in (_with_blocks, _with_counts) if len(hosts) <= at_most else ():
        cells = [_host(host, longest, usual).append_text(way(placed.get(host["host"], []))) for host in hosts]
        shown = _in_columns(cells, width)
        if len(shown) <= room:
            return [*shown, *rows]
    return [*_in_a_field(hosts, placed, width, room), *rows]


def _homeless(instances: Sequence[Row]) -> list[Text]:
    if not instances:
        return []
    return [Text("  on no host  ", "dim").append_text(_with_blocks(instances))]


def _blocks(instances: Sequence[Row]) -> Text:
    return Text().join(Text(*_sign(instance)) for instance in instances)


def _in_order(host: Row) -> list[tuple[int, str]]:
    """Sort host-2 before host-10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split("([0-9]+)", host["host"])]


def _host(host: Row, longest: int, usual: str) -> Text:
    """Name a host, in as many cells for all; its version only if the most have another one."""
    sign, style = SERVICES[host["state"]]
    text = Text(f"  {sign} ", style).append(f"{printable(host['host']):{longest}}")
    if host["version"] and host["version"] != usual:
        text.append(f" {printable(host['version'])}", "bold yellow")
    return text.append(f"{_in_hand(host):4} ", "cyan")


def _in_hand(service: Row) -> str:
    return f" ⇄{service['in_flight']}" if service["in_flight"] else ""


def _with_blocks(instances: Sequence[Row]) -> Text:
    more = f" and {len(instances) - MOST_BLOCKS} more" if len(instances) > MOST_BLOCKS else ""
    return _blocks(instances[:MOST_BLOCKS]).append(more, "dim")


def _with_counts(instances: Sequence[Row]) -> Text:
    text = Text()
    for (sign, style), count in Counter(map(_sign, instances)).most_common():
        text.append(f"{count}{sign} ", style)
    return text


def _in_columns(cells: Sequence[Text], width: int) -> list[Text]:
    """Put cells beside each other, downwards, in as many columns as fit."""
    widest = max((cell.cell_len for cell in cells), default=0) + 1
    columns = max(1, width // max(1, widest))
    height = -(-len(cells) // columns)
    rows = []
    for number in range(height):
        row = Text()
        for cell in cells[number::height]:
            row.append_text(cell).append(" " * (widest - cell.cell_len))
        rows.append(row)
    return rows


def _in_a_field(hosts: Sequence[Row], placed: Mapping[str, Sequence[Row]], width: int, room: int) -> list[Text]:
    """Show one sign a host: what is wrong with it, or with the worst of its instances."""
    across = max(1, width - 4)
    signs = [_worst(host, placed.get(host["host"], [])) for host in hosts[: room * across]]
    rows = [Text.assemble("  ", *signs[at : at + across]) for at in range(0, len(signs), across)]
    if len(hosts) <= len(signs):
        return rows
    left = len(hosts) - (room - 1) * across
    return [*rows[: room - 1], Text(f"  and {left} hosts more", "dim")]


def _worst(host: Row, instances: Sequence[Row]) -> tuple[str, str]:
    if host["state"] != "up":
        return SERVICES[host["state"]]
    signs = {_sign(instance) for instance in instances}
    return next((sign for sign in (INSTANCES["error"], BUSY, INSTANCES["active"]) if sign in signs), ("·", "dim"))


# ---- messages


def _message(line: Line) -> Text:
    """Show a message in one row, with the arrow that a diagram has for its kind."""
    moment = datetime.fromtimestamp(line.at, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
    target = "" if ticks(line) else line.target
    text = Text(moment, "dim").append("  ").append(_clipped(line.source))
    text.append(" ").append_text(drawing.sign(line)).append(" ").append(_clipped(target))
    if not (ticks(line) and line.method == STATE_WRITTEN):
        text.append(f"{_clean(line.method)}  ", "dim" if ticks(line) or line.kind == "reply" else "bold")
    if line.kind in TROUBLE:
        text.append(f"{line.kind}  ", "bold red")
    if line.server:
        text.append(f"{_clean(line.server)}  ", "dim")
    return text.append(_clean(line.error or line.change), "red" if line.wrong else "green")


def _clipped(name: str) -> str:
    """Give a name in the cells of its column."""
    text = Text(_clean(name))
    text.truncate(_NAME_CELLS, overflow="ellipsis", pad=True)
    return text.plain


def _clean(text: str) -> str:
    return printable(trace.shortened(text))
