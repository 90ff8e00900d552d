"""Tables on the operator's screen: aligned, with what is wrong in red when it is a terminal."""

from collections.abc import Collection, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from mininova.flow.columns import titled

STYLES = {"up": "green", "yes": "green", "down": "red", "no": "red", "disabled": "yellow"}


def show(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Print rows under headings; a cell that is a known word has its colour.

    :param right: the columns that are aligned to the right
    """
    console = Console(highlight=False)
    head, *aligned = titled(headings, rows, right)
    console.print(Text("  ".join(head).rstrip(), style="dim"), soft_wrap=True)
    for row in aligned:
        text = Text("  ").join(Text(cell, style=STYLES.get(cell.strip(), "")) for cell in row)
        text.rstrip()
        console.print(text, soft_wrap=True)


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in the unit that a person would choose."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
