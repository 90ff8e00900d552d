"""Versions of interfaces and objects, and the one rule about them.

A receiver that speaks A.B understands a message or an object marked X.Y if A = X and B >= Y: the same major,
the same minor at least.  A minor only adds; a major starts over.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin

#: What others are known to speak: for each topic, and each kind of object, what its speakers have said.  One says
#: ``"1.4"``, or ``"1.4 2.0"`` if it serves two majors side by side.  Of what is not named, nothing is known.
Levels = Mapping[str, Collection[str]]


class Version(NamedTuple):
    """A ``major.minor`` pair; compares as one would expect."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read ``"1.2"``.

        :raises ValueError: for anything else
        """
        return cls(*_numbers(text))

    def accepts(self, other: "Version") -> bool:
        """Tell whether a speaker of this version understands what is marked with the other."""
        return self.major == other.major and self.minor >= other.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@lru_cache(maxsize=1024)
def _numbers(text: str) -> tuple[int, int]:
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise ValueError(f"a version is written MAJOR.MINOR, not {text!r}")
    return int(major), int(minor)


def common(ours: str, said: Collection[str]) -> Version | None:
    """Find the newest version of our major that we and all others speak; None when one of them speaks none of it.

    :param said: what each of the others speaks, as in ``Levels``; when there are none, it is ours
    """
    newest = Version.parse(ours)
    for speaker in said:
        spoken = [version for version in map(Version.parse, speaker.split()) if version.major == newest.major]
        if not spoken:
            return None
        newest = min(newest, max(spoken))
    return newest


@dataclass(frozen=True)
class Since:
    """The version in which an argument or a field came; write it as ``Annotated[str, since("1.2")]``."""

    version: Version
    dispensable: bool = False


def since(version: str, *, dispensable: bool = False) -> Since:
    """Mark an argument or a field with the version that brought it.

    :param dispensable: receivers that do not know this argument do well without it, so it is left out for them; any
        other argument that they do not know is refused before it is sent
    """
    return Since(Version.parse(version), dispensable)


def since_of(annotation: Any) -> Since | None:
    """Find the mark in an annotation; None means from the start."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark for mark in get_args(annotation)[1:] if isinstance(mark, Since)), None)
