"""Draws the sequence diagram of a request as text, as wide as a terminal is, or as wide as a page if nobody looks.

Each kind of message has an arrow of its own, so that a reader without colours tells them apart.  Nothing is cut: what
there is to say of a message goes on below it, and lanes for which there is no room share the last one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mininova.flow import trace
from mininova.flow.changes import STATE_WRITTEN
from mininova.flow.diagram import LONG_PAUSE_S, Lane, parties, ticks, working
from mininova.flow.message import Line
from mininova.flow.output import printable

PAGE = 100  # cells of a row, where no terminal says how many there are

_LEFT = 11  # cells for the time and the mark
_MIN_LABEL = 34  # cells of what is said of a message
_MIN_LANE, _MAX_LANE = 7, 18  # cells of a lane
_AFTER = 3  # cells from the last lane to what is said


@dataclass(frozen=True)
class _Arrow:
    shaft: str
    right: str
    left: str
    style: str


_ARROWS = {
    "http": _Arrow("━", "▶", "◀", "bold"),
    "call": _Arrow("─", "▶", "◀", "cyan"),
    "reply": _Arrow("┄", "▷", "◁", "cyan"),
    "cast": _Arrow("═", "▶", "◀", "yellow"),
    "fanout": _Arrow("═", "»", "«", "yellow"),
    "resent": _Arrow("═", "▷", "◁", "bold yellow"),
    "redelivered": _Arrow("═", "▷", "◁", "bold yellow"),
}
_REFUSED = _Arrow("┄", "✗", "✗", "bold red")
_STATE, _NEWS, _AGAIN = "◆", "◇", "↻"
_LEGEND = "━▶ http  ─▶ call  ◁┄ reply  ═▶ cast  ◆ new state  ◇ notification  ┃ at work  ! went wrong"
_LANES = {"client": "bold", "api": "bold blue", "conductor": "bold magenta", "scheduler": "bold yellow"}


def sign(line: Line) -> Text:
    """Give the arrow of a message without its lanes, two cells wide; or its tick."""
    if ticks(line):
        return _tick(line) + " "
    arrow = _ARROWS.get(line.kind, _REFUSED)
    return Text(arrow.shaft + arrow.right, _style(line))


def rows(console: Console, made: Sequence[Line], width: int = PAGE) -> Iterator[Text]:
    """Draw a request.

    :param console: breaks text into rows
    :param width: how many cells a row should take; many lanes take what they need
    """
    page = _Page(made, width)
    yield from page.names()
    for before, line in zip([*made[:1], *made], made, strict=False):
        if line.at - before.at > LONG_PAUSE_S:
            yield page.pause(line.at - before.at)
        yield from page.row(console, line)
    yield Text()
    yield Text(_LEGEND, style="dim")


class _Page:
    """Where everything is on a page of some width."""

    def __init__(self, made: Sequence[Line], width: int) -> None:
        lanes, short = parties(made), trace.short_names(made)
        space = width - _LEFT - _MIN_LABEL
        room = max(3, space // (_MIN_LANE + 1))
        shown = lanes if len(lanes) <= room else lanes[: room - 1]
        self._heads = [_head(lane, short) for lane in shown]
        if len(shown) < len(lanes):
            self._heads.append([f"{len(lanes) - len(shown)} more"])
        self._styles = [*(_LANES.get(lane.kind, "bold green") for lane in shown), "bold"]
        self._widths = _widths(self._heads, space)
        ends = list(accumulate(self._widths))
        self._middles = [end - width + width // 2 for end, width in zip(ends, self._widths, strict=True)]
        self._places = dict(zip((lane.name for lane in shown), self._middles, strict=False))
        self._size = self._middles[-1] + _AFTER if shown else 0
        self._label = max(_MIN_LABEL, width - _LEFT - self._size)
        self._start = made[0].at if made else 0.0
        self._working = working(made)
        self._many = len({line.server for line in made if line.server}) > 1

    def names(self) -> Iterator[Text]:
        """Write what each lane is over it, in as many rows as that takes."""
        heads = zip(self._heads, self._widths, strict=True)
        broken = [[row for word in head for row in _broken(word, width - 1)] for head, width in heads]
        for number in range(max(map(len, broken), default=0)):
            text = Text(" " * _LEFT if number else f"{'ms':>{_LEFT - 3}}   ", "dim")
            for head, style, width in zip(broken, self._styles, self._widths, strict=False):
                word = head[number] if number < len(head) else ""
                blanks = width - cell_len(word)
                text.append(" " * (blanks // 2) + word + " " * (blanks - blanks // 2), style)
            text.rstrip()
            yield text

    def pause(self, seconds: float) -> Text:
        """Say that nothing happened for a while."""
        return Text(" " * _LEFT).append_text(self._lifelines(None)).append(f"… {seconds:.1f} s later", "dim italic")

    def row(self, console: Console, line: Line) -> Iterator[Text]:
        """Draw a message, and say what it is beside the lanes and below."""
        time = f"{(line.at - self._start) * 1000:{_LEFT - 3}.1f}"
        for number, said in enumerate(self._words(line).wrap(console, self._label, overflow="fold")):
            text = Text(" " * len(time) if number else time, "dim")
            text.append(" ! " if line.wrong and not number else "   ", "bold red")
            text.append_text(self._lifelines(line.at) if number else self._drawn(line))
            text.append_text(said)
            text.rstrip()
            yield text

    def _lifelines(self, moment: float | None) -> Text:
        """Draw the lanes where nothing passes; one whose handler is at work is thicker."""
        cells = [" "] * self._size
        for middle in self._middles:
            cells[middle] = "│" if moment is not None else "┊"
        for party, times in self._working.items():
            if moment is not None and any(began <= moment < ended for began, ended in times):
                cells[self._place(party)] = "┃"
        return Text("".join(cells), "dim")

    def _place(self, party: str) -> int:
        return self._places.get(party, self._middles[-1])

    def _drawn(self, line: Line) -> Text:
        cells, start, end = self._lifelines(line.at), self._place(line.source), self._place(line.target)
        arrow = _ARROWS.get(line.kind, _REFUSED)
        if ticks(line):
            return _over(cells, start, _tick(line))
        if start == end:
            return _over(cells, start, Text(_AGAIN, "bold yellow"))
        style = _style(line)
        if start < end:
            return _over(cells, start + 1, Text(arrow.shaft * (end - start - 2) + arrow.right, style))
        return _over(cells, end + 1, Text(arrow.left + arrow.shaft * (start - end - 2), style))

    def _words(self, line: Line) -> Text:
        """Say what a message is, how long it took, and what it changes."""
        said = line.error or line.change
        name = "" if said and line.method == STATE_WRITTEN else line.method  # which says only that there is a state
        parts = [
            (f"{name} {line.version}".strip(), "dim" if ticks(line) or line.kind == "reply" else "bold"),
            (line.kind if line.kind not in ("http", "call", "cast", "reply", "notification") else "", "bold red"),
            (trace.duration(line), "dim"),
            (line.server if self._many and said else "", ""),
            (said, "red" if line.wrong else "green"),
        ]
        return Text("  ").join(Text(_clean(part), style) for part, style in parts if part)


def _tick(line: Line) -> Text:
    return Text(_STATE if line.change else _NEWS, "bold red" if line.wrong else "magenta")


def _style(line: Line) -> str:
    return "bold red" if line.wrong and line.kind != "http" else _ARROWS.get(line.kind, _REFUSED).style


def _head(lane: Lane, short: Mapping[str, str]) -> list[str]:
    """Name a lane; its host only where there are several of a service, and of a compute."""
    return [_clean(part) for part in ([short[lane.name]] if lane.name in short else lane.name.split(".", 1))]


def _widths(heads: Sequence[Sequence[str]], space: int) -> list[int]:
    """Make each lane as wide as its name, or the widest narrower until they fit."""
    widths = [min(_MAX_LANE, max(_MIN_LANE, *(cell_len(word) + 2 for word in head))) for head in heads]
    while sum(widths) > space and max(widths) > _MIN_LANE:
        widths[widths.index(max(widths))] -= 1
    return widths


def _clean(text: str) -> str:
    return printable(trace.shortened(text))


def _broken(word: str, width: int) -> Iterator[str]:
    """Break a word of which no letter may get lost."""
    row = ""
    for letter in word:
        if cell_len(row + letter) > width:
            yield row
            row = ""
        row += letter
    yield row


def _over(cells: Text, place: int, drawn: Text) -> Text:
    """Put something over what is there."""
    return Text.assemble(cells[:place], drawn, cells[place + len(drawn) :])
