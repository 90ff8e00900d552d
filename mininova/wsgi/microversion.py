"""A microversion: which dialect of the Compute API a request speaks.

Routes and handlers compare with it; it does not know which header it came in (mininova/api/microversions.py does).
"""

import re
from typing import NamedTuple

_FORM = re.compile(r"^([1-9]\d*)\.([1-9]\d*|0)$")


class Microversion(NamedTuple):
    """A ``major.minor`` pair that compares as one would expect: ``request.api_version >= (2, 47)``."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Microversion":
        """Read ``"2.47"``.

        :raises ValueError: for anything else
        """
        form = _FORM.match(text)
        if form is None:
            raise ValueError(f"a microversion is written MAJOR.MINOR, not {text!r}")
        return cls(int(form[1]), int(form[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"
