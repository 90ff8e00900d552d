"""Versions of interfaces and objects, and the one rule about them.

A message or an object marked X.Y may be given to whoever speaks A.B where A = X and B >= Y: the same major,
the same minor at least.  A minor only adds; a major starts over.
"""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_origin


class Version(NamedTuple):
    """A ``major.minor`` pair; compares as one would expect."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read ``"1.2"``.

        :raises ValueError: for anything else
        """
        major, dot, minor = text.partition(".")
        if not (dot and major.isdecimal() and minor.isdecimal()):
            raise ValueError(f"a version is written MAJOR.MINOR, not {text!r}")
        return cls(int(major), int(minor))

    def accepts(self, other: "Version") -> bool:
        """Tell whether a speaker of this version understands what is marked with the other."""
        return self.major == other.major and self.minor >= other.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class Since:
    """The version in which an argument or a field came; write it as ``Annotated[str, since("1.2")]``."""

    version: Version


def since(version: str) -> Since:
    """Mark an argument or a field with the version that brought it."""
    return Since(Version.parse(version))


def since_of(annotation: Any) -> Version | None:
    """Find the mark in an annotation; None means from the start."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark.version for mark in get_args(annotation)[1:] if isinstance(mark, Since)), None)
