"""A request as a sequence diagram: a lane for each party, an arrow for each message, in the order of sending.

drawing.py draws it as text, and export.py as SVG and Mermaid.  They draw a notification as a tick on the lane of its
sender: it asks nothing of another party, and most of them say which state was just written there.  Pure functions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mininova.flow.message import Line

#: The kinds of lanes, from left to right.
KINDS = ("client", "api", "conductor", "scheduler", "compute", "other", "notifications")

#: Kinds of lines that tell of trouble, with the word that counts them.
TROUBLE = {
    "lost": "lost on purpose",
    "resent": "sent again",
    "redelivered": "redelivered",
    "retried": "retried",
    "rejected": "rejected",
    "denied": "denied",
    "failed": "failed",
    "parked": "given up",
}
ELSEWHERE, IN_ERROR = "tried elsewhere", "with an error"

LONG_PAUSE_S = 1.0  # between two messages; a diagram says how long it was


@dataclass(frozen=True)
class Lane:
    """A party of a request.

    :param name: as in the lines, ``compute.host-1``
    :param kind: one of KINDS
    """

    name: str
    kind: str


def lanes(made: Iterable[Line]) -> list[Lane]:
    """Give the parties of a request in the order of KINDS, and those of a kind in the order of appearance."""
    names = dict.fromkeys(name for line in made for name in (line.source, line.target))
    return sorted((Lane(name, _kind(name)) for name in names), key=lambda lane: KINDS.index(lane.kind))


def parties(made: Iterable[Line]) -> list[Lane]:
    """Give the lanes but that of notifications, which are ticks."""
    return [lane for lane in lanes(made) if lane.kind != "notifications"]


def _kind(name: str) -> str:
    service, _, host = name.removeprefix("every ").partition(".")
    return service if service in KINDS and host != "dead" else "other"


def troubles(made: Iterable[Line]) -> list[str]:
    """Say what went wrong in a request, counted: ``1 tried elsewhere``, ``2 redelivered``."""
    counted = Counter(_trouble(line) for line in made)
    words = (ELSEWHERE, IN_ERROR, *TROUBLE.values())
    return [f"{counted[word]} {word}" for word in words if counted[word]]


def _trouble(line: Line) -> str:
    if line.kind == "cast" and line.method == "reschedule_instance":
        return ELSEWHERE
    return TROUBLE.get(line.kind, IN_ERROR if line.kind == "reply" and line.error else "")


def ticks(line: Line) -> bool:
    """Tell whether a line is a tick on one lane, and no arrow between two."""
    return line.kind == "notification"


def working(made: Sequence[Line]) -> dict[str, list[tuple[float, float]]]:
    """Say when each party had a handler at work, as far as the lines tell: (from, to), in seconds since the epoch."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in made:
        if line.took is not None and line.kind in ("http", "cast", "reply", "failed"):
            ended = line.kind in ("reply", "failed")
            party, began = (line.source, line.at - line.took) if ended else (line.target, line.at)
            found.setdefault(party, []).append((began, began + line.took))
    return found
