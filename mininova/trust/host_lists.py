"""Hosts as people write them: names and ranges, ``edge, node-[0001-1000]`` (Slurm and pdsh call it a hostlist).

The settings of a compute, ``mininova-manage host add --hosts`` and the local stack read such lists; a tool that makes a
configuration file, or says which hosts there are, writes one.
"""

import re
from collections.abc import Iterator, Sequence

from mininova.trust import identities

EXAMPLE = "edge, node-[0001-1000]"

#: What one process stands for at most: so many were tried, and a slip in a range is not to fill the memory.
MOST = 5_000

_RANGE = re.compile(r"([^][]*)\[([0-9]+)-([0-9]+)\]([^][]*)")
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)")
_WORTH_A_RANGE = 3


def read(text: str) -> tuple[str, ...]:
    """Give the names in a list, in its order.

    :raises ValueError: what in it is no name of a host or no range, or is there twice
    """
    names: dict[str, None] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        for name in _expanded(word):
            identities.check_name(name)
            if name in names:
                raise ValueError(f"{name} is named twice")
            if len(names) == MOST:
                raise ValueError(f"it names more than {MOST} hosts, and one process stands for no more")
            names[name] = None
    return tuple(names)


def _expanded(word: str) -> Iterator[str]:
    if "[" not in word and "]" not in word:
        yield word
        return
    if (found := _RANGE.fullmatch(word)) is None:
        raise ValueError(f"{word!r} is no range of hosts: write them like {EXAMPLE}")
    before, first, last, after = found.groups()
    if int(last) < int(first):
        raise ValueError(f"{word!r} ends before it begins")
    width = len(first) if first.startswith("0") else 0
    for number in range(int(first), int(last) + 1):
        yield f"{before}{number:0{width}}{after}"


def write(names: Sequence[str]) -> str:
    """Write names as a list, with ranges of those that are numbered one after the other; ``read`` gives them back."""
    runs: list[list[str]] = []
    for name in names:
        if runs and name == _next(runs[-1][-1]):
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(map(_written, runs))


def _next(name: str) -> str | None:
    """Give the name whose last number is one higher; None for one that has no number."""
    if (found := _NUMBERED.fullmatch(name)) is None:
        return None
    before, number, after = found.groups()
    return f"{before}{int(number) + 1:0{len(number)}}{after}"


def _written(run: Sequence[str]) -> str:
    first, last = (_NUMBERED.fullmatch(name) for name in (run[0], run[-1]))
    if len(run) < _WORTH_A_RANGE or first is None or last is None:
        return ", ".join(run)
    return f"{first[1]}[{first[2]}-{last[2]}]{first[3]}"
