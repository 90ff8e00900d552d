"""A request as a file: the sequence diagram as SVG, and as the text that Mermaid draws.  Pure functions.

The SVG is whole: it has its own colours, for light and for dark, and refers to nothing else.  Names come from users and
from services that may be taken over, so each is made printable, and then escaped: by the XML library in the SVG, and in
Mermaid's text by writing all but harmless characters as their numbers.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mininova.flow import trace
from mininova.flow.changes import STATE_WRITTEN
from mininova.flow.diagram import LONG_PAUSE_S, Lane, parties, ticks, troubles, working
from mininova.flow.message import Line
from mininova.flow.output import printable
from mininova.flow.summary import Summary

Export = Callable[[Summary, Sequence[Line]], str]

KINDS = ("http", "call", "cast", "fanout", "reply", "notification")  # of lines; the others tell of trouble

# Pixels: left of the lanes, a lane and its head, a message, above the first message, a margin.
_TIMES, _LANE, _HEAD, _ROW, _TOP, _MARGIN = 90, 128, 40, 32, 170, 24
_MIN_WIDTH, _LETTER = 900, 7.2  # the second of what stands right of the lanes
_MAX_WORDS, _MAX_TITLE, _MAX_NAMES = 84, 400, 4  # characters beside an arrow and in its tooltip; servers by name
_MAX_MERMAID = 120  # characters over an arrow, which Mermaid makes as long


def _clean(text: str) -> str:
    return printable(trace.shortened(text))


def _said(line: Line) -> str:
    """Say in a few words what a message is."""
    aside = "" if line.kind in KINDS else f"({line.kind})"
    return " ".join(_clean(part) for part in (line.method, line.version, aside) if part)


def _outcome(line: Line) -> str:
    """Say how long it took, and what it changed."""
    return "  ".join(_clean(part)[:_MAX_TITLE] for part in (trace.duration(line), line.error or line.change) if part)


def _words(line: Line) -> str:
    """Say what stands beside the lanes; a tick, which has no arrow with its name, is named there."""
    is_named = not ticks(line) or (line.method == STATE_WRITTEN and line.change)
    return "  ".join(filter(None, ("" if is_named else _said(line), _outcome(line))))


# ---- SVG

_LIGHT = {
    "page": "#fdfdfc", "text": "#1f2430", "dim": "#6b7280", "line": "#d3d7de", "row": "#f1f3f6", "good": "#14713d",
    "bad": "#c81e1e", "bad-row": "#fdecec", "client": "#475569", "api": "#1d5fbf", "conductor": "#7c3aad",
    "scheduler": "#a15c07", "compute": "#14713d", "call": "#0e7490", "cast": "#a15c07",
}  # fmt: skip
_DARK = {
    "page": "#14171d", "text": "#e6e8ec", "dim": "#9aa1ad", "line": "#3a4150", "row": "#1b1f28", "good": "#6ad394",
    "bad": "#ff8a8a", "bad-row": "#35191d", "client": "#a9b4c4", "api": "#7db4ff", "conductor": "#cf9dfa",
    "scheduler": "#f0b45c", "compute": "#6ad394", "call": "#5cc8dd", "cast": "#f0b45c",
}  # fmt: skip


def _colours(of: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in of.items())


_STYLE = f"""
svg {{ color-scheme: light dark; font: 12.5px system-ui, "DejaVu Sans", sans-serif; {_colours(_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ svg {{ {_colours(_DARK)} }} }}
.page {{ fill: var(--page); }} text {{ fill: var(--text); white-space: pre; }} .dim, .time {{ fill: var(--dim); }}
.title {{ font-size: 18px; font-weight: 600; }} .bad {{ fill: var(--bad); font-weight: 600; }}
.mono {{ font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 11.5px; }} .time {{ text-anchor: end; }}
.life {{ stroke: var(--line); }} .lane rect {{ fill: var(--page); stroke-width: 1.6; }}
.lane text {{ text-anchor: middle; }} .name {{ font-weight: 600; }} .host {{ font-size: 11.5px; }}
.client {{ --of: var(--client); }} .api {{ --of: var(--api); }} .conductor {{ --of: var(--conductor); }}
.scheduler {{ --of: var(--scheduler); }} .compute {{ --of: var(--compute); }} .other {{ --of: var(--bad); }}
.lane rect {{ stroke: var(--of); }} .lane text {{ fill: var(--of); }} .work {{ fill: var(--of); opacity: .55; }}
.band {{ fill: transparent; }} .band:hover {{ fill: var(--row); }} .band.wrong {{ fill: var(--bad-row); }}
.said {{ paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }}
.wrong .said {{ stroke: var(--bad-row); }} .reply .said {{ fill: var(--dim); }} .outcome {{ fill: var(--good); }}
.row {{ --kind: var(--text); }} .call, .reply {{ --kind: var(--call); }} .cast, .fanout {{ --kind: var(--cast); }}
.notification {{ --kind: var(--conductor); }} .wrong, .refused {{ --kind: var(--bad); }}
.wrong .outcome {{ fill: var(--bad); }}
.shaft {{ stroke: var(--kind); stroke-width: 1.5; fill: none; }} .head {{ fill: var(--kind); stroke: var(--kind); }}
.http .shaft, .cast .shaft, .fanout .shaft {{ stroke-width: 2.8; }} .reply .head {{ fill: var(--page); }}
.reply .shaft, .refused .shaft {{ stroke-dasharray: 5 4; }}
.notification .head {{ fill: var(--page); stroke-width: 1.6; }}
.notification .state {{ fill: var(--kind); }}
"""


_LEGEND = (
    ("http", "request"), ("call", "call"), ("reply", "reply"), ("cast", "cast"), ("notification", "new state"),
    ("notification", "notification"), ("wrong refused", "refused"),
)  # fmt: skip


def svg(summary: Summary, made: Sequence[Line]) -> str:
    """Draw a request as SVG, which a browser opens, and a page can show as an image."""
    root = _Drawing(summary, made).root
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


class _Drawing:
    """The elements of a diagram, from top to bottom."""

    def __init__(self, summary: Summary, made: Sequence[Line]) -> None:
        self._lanes, self._short = parties(made), trace.short_names(made)
        self._places = {lane.name: _TIMES + _LANE * number + _LANE // 2 for number, lane in enumerate(self._lanes)}
        self._beside = _TIMES + _LANE * len(self._lanes)
        self._start = made[0].at if made else 0.0
        self._rows, self._bottom = _placed(made)
        longest = max((min(_MAX_WORDS, len(_words(line))) for line in made), default=0)
        width = max(self._beside + int(longest * _LETTER) + _MARGIN, _MIN_WIDTH)
        height = self._bottom + _HEAD + 3 * _MARGIN
        size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
        self.root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **size})
        SubElement(self.root, "title").text = _clean(f"{summary.request_id} {summary.what}")
        SubElement(self.root, "style").text = _STYLE
        _put(self.root, "rect", "page", x=0, y=0, width=width, height=height)
        self._heading(summary, made)
        for line, y in self._rows:
            _put(self.root, "rect", "band wrong" if line.wrong else "band", x=0, y=y - 22, width=width, height=_ROW)
        for lane in self._lanes:
            self._lane(lane)
        self._work(made)
        for line, y in self._rows:
            self._row(line, y)
        self._legend()
        for before, after in pairwise(self._rows):
            if (seconds := after[0].at - before[0].at) > LONG_PAUSE_S:
                self._text(self._beside, after[1] - _ROW, f"… {seconds:.1f} s later", "dim")

    def _heading(self, summary: Summary, made: Sequence[Line]) -> None:
        names = ", ".join([name or uuid for uuid, name in summary.servers.items()][:_MAX_NAMES])
        took = f"{summary.messages} messages in {(summary.last - summary.began) * 1000:.1f} ms"
        self._text(_MARGIN, 36, f"{summary.what} {summary.status or ''}", "title")
        about = SubElement(self.root, "text", {"x": str(_MARGIN), "y": "60", "class": "dim"})
        about.text = _clean("  ·  ".join(filter(None, (summary.request_id, names, took))))
        if wrong := troubles(made):
            SubElement(about, "tspan", {"class": "bad", "dx": "14"}).text = ", ".join(wrong)

    def _lane(self, lane: Lane) -> None:
        x = self._places[lane.name]
        _put(self.root, "line", "life", x1=x, x2=x, y1=_TOP - _ROW, y2=self._bottom)
        service, _, host = self._short.get(lane.name, lane.name).partition(".")
        for top in (_TOP - _ROW - _HEAD, self._bottom):
            group = SubElement(self.root, "g", {"class": f"lane {lane.kind}"})
            SubElement(group, "title").text = printable(lane.name)
            _put(group, "rect", x=x - _LANE // 2 + 6, y=top, width=_LANE - 12, height=_HEAD, rx=7)
            for word, y, style in ((service, 17 if host else 24, "name"), (host, 32, "host")):
                _put(group, "text", style, x=x, y=top + y).text = _cut(printable(word), 18)

    def _work(self, made: Sequence[Line]) -> None:
        """Draw a bar where a handler is at work."""
        kinds = {lane.name: lane.kind for lane in self._lanes}
        for party, times in working(made).items():
            for began, ended in times:
                top, bottom = self._y(began), self._y(ended)
                _put(self.root, "rect", f"work {kinds[party]}", x=self._places[party] - 4, y=top, width=8,
                     height=max(6.0, bottom - top), rx=3)  # fmt: skip

    def _y(self, moment: float) -> float:
        """Find the height of a moment, between the messages before and after it."""
        place = bisect_right(self._rows, moment, key=lambda row: row[0].at)
        (before, y), (after, below) = self._rows[max(0, place - 1)], self._rows[min(place, len(self._rows) - 1)]
        if before.at == after.at:  # before the first, or after the last
            return float(y if place == 0 else y + _ROW // 2)
        return round(y + (below - y) * (moment - before.at) / (after.at - before.at), 1)

    def _row(self, line: Line, y: int) -> None:
        group = SubElement(self.root, "g", {"class": f"row {line.kind if line.kind in KINDS else 'refused'}"})
        if line.wrong:
            group.set("class", f"{group.get('class')} wrong")
        title = f"{line.source} → {line.target}: {_said(line)}  {_outcome(line)}"
        SubElement(group, "title").text = _cut(_clean(title), _MAX_TITLE)
        _put(group, "text", "time mono", x=_TIMES - 10, y=y + 4).text = f"{(line.at - self._start) * 1000:.1f}"
        start, end = self._places.get(line.source, self._beside), self._places.get(line.target, self._beside)
        if ticks(line) or start == end:
            mark = _diamond(start, y) if ticks(line) else f"M{start} {y - 6}a6 6 0 1 1 -6 6"
            shape = "head state" if line.change else "head"
            _put(group, "path", shape if ticks(line) else "shaft", d=mark)
        else:
            _arrow(group, y, start, end)
            _put(group, "text", "said", x=min(start, end) + 12, y=y - 8).text = _cut(_said(line), _MAX_WORDS)
        _put(group, "text", "outcome", x=self._beside + 6, y=y + 4).text = _cut(_words(line), _MAX_WORDS)

    def _legend(self) -> None:
        y, x = self._bottom + _HEAD + 2 * _MARGIN, _TIMES
        for number, (kind, said) in enumerate(_LEGEND):
            group, at = SubElement(self.root, "g", {"class": f"row {kind}"}), x + number * 124
            if kind == "notification":
                _put(group, "path", "head state" if number % 2 == 0 else "head", d=_diamond(at + 18, y))
            else:
                _arrow(group, y, at, at + 34)
            _put(group, "text", "dim", x=at + 42, y=y + 4).text = said

    def _text(self, x: int, y: int, text: str, style: str) -> None:
        _put(self.root, "text", style, x=x, y=y).text = _cut(_clean(text), _MAX_TITLE)


def _arrow(group: Element, y: int, start: int, end: int) -> None:
    way = 1 if start < end else -1
    _put(group, "path", "shaft", d=f"M{start + 5 * way} {y}H{end - 12 * way}")
    _put(group, "path", "head", d=f"M{end - 4 * way} {y}l{-10 * way} -5v10z")


def _diamond(x: int, y: int) -> str:
    return f"M{x - 6} {y}l6 -6l6 6l-6 6z"


def _placed(made: Sequence[Line]) -> tuple[list[tuple[Line, int]], int]:
    """Give each line its height, with room for long pauses; and the height below the last."""
    rows, y, before = list[tuple[Line, int]](), _TOP, made[0].at if made else 0.0
    for line in made:
        y += _ROW if line.at - before > LONG_PAUSE_S else 0
        rows.append((line, y))
        y, before = y + _ROW, line.at
    return rows, y


def _put(parent: Element, tag: str, style: str = "", **attributes: object) -> Element:
    named = {"class": style} if style else {}
    return SubElement(parent, tag, {**named, **{name: str(value) for name, value in attributes.items()}})


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# ---- Mermaid

_MERMAID = {"call": "->>", "reply": "-->>", "cast": "-)", "fanout": "-)", "http": "->>"}
_UNSAFE = re.compile(r"[^\w .,:/=→…()+*@-]")


def mermaid(summary: Summary, made: Sequence[Line]) -> str:
    """Write a request as a sequenceDiagram of Mermaid, which GitHub and many editors draw."""
    lanes, short = parties(made), trace.short_names(made)
    names = {lane.name: f"p{number}" for number, lane in enumerate(lanes)}
    title = _safe(f"{summary.request_id} {summary.what}")
    text = ["sequenceDiagram", f"    accTitle: {title}"]
    for lane in lanes:
        kind = "actor" if lane.kind == "client" else "participant"
        text.append(f"    {kind} {names[lane.name]} as {_safe(short.get(lane.name, lane.name))}")
    text += [f"    {_mermaid_line(line, names)}" for line in made]
    return "\n".join(text) + "\n"


def _mermaid_line(line: Line, names: dict[str, str]) -> str:
    if ticks(line):
        return f"Note over {names[line.source]}: {_safe(_words(line))}"
    arrow = _MERMAID.get(line.kind, "-->>" if line.kind in ("resent", "redelivered", "retried") else "--x")
    return f"{names[line.source]}{arrow}{names[line.target]}: {_safe(f'{_said(line)}  {_outcome(line)}')}"


def _safe(text: str) -> str:
    """Write what Mermaid could take for markup, or for the end of a line, as the number of the character."""
    cut = _cut(_clean(text.strip()), _MAX_MERMAID)
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", cut)


#: The exports by the name of their format.
EXPORTS: Mapping[str, Export] = {"svg": svg, "mermaid": mermaid}
