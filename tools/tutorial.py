"""Pages that are followed from the first line to the last: what their reader writes, types, and is to see.

tests/fixtures/terminals.py does it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from documentation import FENCE, ROOT

#: The pages; the commands on every other page are for a stack that runs.
TUTORIALS = tuple(ROOT / page for page in ("docs/rpc/tutorial.md", "docs/rpc/README.md", "examples/metering/README.md"))

_TYPED = re.compile(r"(\w*)\$ (.+)")
_ELSEWHERE = re.compile(r"\[(\w+)\] (.+)")


@dataclass(frozen=True)
class Step:
    """Something that the reader of a tutorial does: write a file, change one, or type a command.

    :param what: ``write``, ``edit`` or ``type``
    :param where: the file; or the terminal, "" for the reader's own
    :param text: all of the file, the difference, or the command
    :param output: what is seen then, each line with the terminal in which it is
    """

    page: Path
    line: int
    what: str
    where: str
    text: str
    output: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {self.text.splitlines()[0]}"


def steps(page: Path) -> Iterator[Step]:
    """Give what the reader of a tutorial does, in its order.

    A ``python`` block that begins with ``# name.py`` is that file; a ``diff`` block that begins with ``--- name.py``
    changes it; in a ``console`` block ``$`` is typed in the reader's own terminal, ``server$`` in one of that name,
    and ``[server] …`` is seen there.
    """
    text = page.read_text()
    for block in FENCE.finditer(text):
        line, (first, _, rest) = text.count("\n", 0, block.start()) + 2, block[3].partition("\n")
        if block[2] == "python" and re.fullmatch(r"# \w+\.py", first):
            yield Step(page, line, "write", first[2:], block[3])
        elif block[2] == "diff":
            yield Step(page, line, "edit", first.removeprefix("--- "), rest)
        elif block[2] == "console":
            yield from _typed(page, line, block[3])


def _typed(page: Path, first: int, block: str) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(block.splitlines(), first):
        if typed := _TYPED.fullmatch(line):
            if step is not None:
                yield step
            step = Step(page, number, "type", typed[1], typed[2])
        elif step is not None:
            seen = _ELSEWHERE.fullmatch(line)
            step = replace(step, output=(*step.output, (seen[1], seen[2]) if seen else (step.where, line)))
    if step is not None:
        yield step


def edited(text: str, difference: str) -> str:
    """Change a text as a ``diff`` block says; each of its pieces, set apart by a line ``…``, must fit once.

    :raises ValueError: when one does not
    """
    for piece in re.split(r"^ ?…\n", difference, flags=re.MULTILINE):
        lines = piece.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        if text.count(old) != 1:
            raise ValueError(f"it is there {text.count(old)} times:\n{old}")
        text = text.replace(old, "".join(line[1:] for line in lines if line[0] in " +"))
    return text


def as_shown(shown: Iterable[str]) -> re.Pattern[str]:
    """Make a pattern of what a page shows: ``…`` stands for anything in a line, and alone for any number of lines."""
    lines = (r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in shown)
    return re.compile("".join(lines))
