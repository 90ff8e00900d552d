"""What mininova-flow and mininova-manage print: aligned columns for people, or JSON with ``-f json``.

The columns are the same on a terminal and in a pipe, and never cut or wrapped, as rich's own tables are.  Names and
messages come from users and from other services, so nothing that would do something to a terminal is printed as it is.
"""

import json
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

FORMATS = ("table", "json")

STYLES = {"up": "green", "yes": "green", "down": "red", "no": "red", "disabled": "yellow"}


def _as_it_is(value: Any) -> str:
    return "" if value is None else str(value)


class _Printer(Console):
    """Leaves it to the command what to do when its reader is gone; rich would end the process, as failed."""

    def on_broken_pipe(self) -> None:
        """Raise what rich has just caught: it calls this there."""
        raise


def printer() -> Console:
    """Make what prints styled text, and puts colours on nothing by itself."""
    return _Printer(highlight=False)


@dataclass(frozen=True)
class Column:
    """A column of a list, or one fact of what is shown.

    :param name: its key in JSON
    :param text: writes the value for people; JSON has the value itself
    :param heading: what it is called in a table, if that is not its name with blanks
    :param right: align it to the right
    """

    name: str
    text: Callable[[Any], str] = _as_it_is
    heading: str = ""
    right: bool = False

    @property
    def title(self) -> str:
        """Say what stands over the column."""
        return self.heading or self.name.replace("_", " ")


def show_list(wanted: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], *, none: str) -> None:
    """Print rows.

    :param wanted: one of FORMATS
    :param rows: each has a value for each column
    :param none: the sentence for people when there are no rows
    """
    if wanted == "json":
        show_json([{column.name: row[column.name] for column in columns} for row in rows])
    elif not rows:
        say(none)
    else:
        cells = [[column.text(row[column.name]) for column in columns] for row in rows]
        right = [place for place, column in enumerate(columns) if column.right]
        head, *aligned_rows = titled([column.title for column in columns], cells, right)
        console = printer()
        console.print(Text("  ".join(head).rstrip(), style="dim"), soft_wrap=True)
        for row in aligned_rows:
            text = Text("  ").join(Text(cell, style=STYLES.get(cell.strip(), "")) for cell in row)
            text.rstrip()
            console.print(text, soft_wrap=True)


def show_one(wanted: str, facts: Sequence[Column], values: Mapping[str, Any]) -> None:
    """Print what is known of one thing, a line for each fact that has a text."""
    if wanted == "json":
        show_json({fact.name: values[fact.name] for fact in facts})
        return
    texts = ((fact.title, fact.text(values[fact.name])) for fact in facts)
    for row in aligned([pair for pair in texts if pair[1]]):
        print("  ".join(row).rstrip())


def show_json(value: Any) -> None:
    """Print plain data as JSON; moments are ISO 8601, and bytes what Python writes for them."""
    print(as_json(value))


def as_json(value: Any) -> str:
    """Write plain data as JSON, in which a terminal finds no control character."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return _UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1] if not found[0].isprintable() else found[0], text)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say(text: str) -> None:
    """Print a sentence."""
    print(printable(text))


def show_text(text: str) -> None:
    """Print a text of several lines."""
    print("\n".join(map(printable, text.removesuffix("\n").split("\n"))))


def complain(text: str) -> None:
    """Print a sentence on standard error."""
    print(printable(text), file=sys.stderr)


def show_part(title: str, data: Any) -> None:
    """Print plain data as JSON below a title; a text stands as it is."""
    print(f"\n{printable(title)}\n{printable(data) if isinstance(data, str) else as_json(data)}")


def printable(text: str) -> str:
    """Write each character that could do something to a terminal as Python's repr() does."""
    return text if text.isprintable() else "".join(_escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


_UNPRINTABLE = re.compile(r"[^\n\x20-\x7e]")  # may be: str.isprintable decides


# ---- columns


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """Make the cells printable, and pad them so that columns line up.

    :param right: the columns that are aligned to the right
    """
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*clean, strict=True)]
    return [
        [_padded(cell, width, place in right) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
        for row in clean
    ]


def titled(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """Put headings over rows, and align them together."""
    return aligned([headings, *rows], right)


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - cell_len(cell))
    return blanks + cell if to_the_right else cell + blanks


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in the unit that a person would choose."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
