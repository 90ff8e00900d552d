"""The releases of mininova, read from CHANGELOG.md and from git: name, number, day and revision.

A release is a heading of CHANGELOG.md, ``## [0.1.0] acrux, 2026-11-29``; its revision is the commit that brought the
heading.  So a release is cut by one commit, on main, and needs no tag that a clone may lack.  ``tools/release`` is the
command; a rolling upgrade starts from the revision that it prints.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = "CHANGELOG.md"

_HEADING = re.compile(r"^## \[(?P<number>[0-9.]+)\] (?P<name>[a-z]+), (?P<day>\d{4}-\d\d-\d\d)$", re.MULTILINE)


class UnknownRelease(Exception):
    """There is no such release, or git does not know its revision."""


@dataclass(frozen=True)
class Release:
    """One release.

    :param name: of a star, as ``[upgrade_levels]`` takes it
    :param number: as pip shows it
    :param day: on which it was cut, like 2026-11-29
    :param heading: its line in CHANGELOG.md
    """

    name: str
    number: str
    day: str
    heading: str


def releases(root: Path = ROOT) -> list[Release]:
    """Read the releases of a checkout, the newest first."""
    found = _HEADING.finditer((root / CHANGELOG).read_text())
    return [Release(it["name"], it["number"], it["day"], it[0]) for it in found]


def release(name: str, root: Path = ROOT) -> Release:
    """Find a release by its name.

    :raises UnknownRelease: when there is none; the message lists those that there are
    """
    known = releases(root)
    for each in known:
        if each.name == name:
            return each
    there_are = ", ".join(each.name for each in known) or "none yet"
    raise UnknownRelease(f"There is no release {name!r}. Releases: {there_are}.")


def revision(wanted: Release, root: Path = ROOT) -> str:
    """Give the commit that cut a release: the first one in which its heading is.

    :raises UnknownRelease: when git has no such commit: the change is not committed, or the clone is a shallow one
    """
    command = ["git", "log", "--reverse", "--format=%H", "-S", wanted.heading, "--", CHANGELOG]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode or not done.stdout.split():
        why = done.stderr.strip() or "no commit here has its heading; in a shallow clone, run: git fetch --unshallow"
        raise UnknownRelease(f"The revision of {wanted.name} is not known: {why}")
    return done.stdout.split()[0]


# ---- the command


def main(words: Sequence[str] | None = None) -> int:
    """Run ``tools/release``; give the exit code."""
    parser = argparse.ArgumentParser(prog="tools/release", description="Show the releases of mininova.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, number and day of each, the newest first")
    for command, what in (("show", "all that is known of one"), ("revision", "the commit of one, and nothing else")):
        commands.add_parser(command, help=what).add_argument("name", help="its name, such as acrux")
    asked = parser.parse_args(words)
    try:
        print("\n".join(_LINES[asked.command](asked)))
    except UnknownRelease as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(asked: argparse.Namespace) -> list[str]:
    return [f"{each.name:12} {each.number:8} {each.day}" for each in releases()]


def _show(asked: argparse.Namespace) -> list[str]:
    found = release(asked.name)
    rows = {"name": found.name, "number": found.number, "day": found.day, "revision": revision(found)}
    return [f"{name:10} {value}" for name, value in rows.items()]


def _revision(asked: argparse.Namespace) -> list[str]:
    return [revision(release(asked.name))]


_LINES = {"list": _list, "show": _show, "revision": _revision}
