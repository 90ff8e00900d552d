"""Regular expressions that users send, matched in a time that grows with the text and not with their malice.

Python's own ``re`` can be made to try for ever, and then a whole process stands still; RE2 cannot.  It knows no
back-references and no looking around, which the databases' own expressions do not all have either.  The api asks
whether an expression is one; SQLite, which has none, matches with it (mininova/db/session.py).
"""

from functools import lru_cache
from typing import Any

import re2

LONGEST = 255  # characters, as many as a name has
MEMORY = 16 * 1024  # bytes that one expression may take: what fits is matched in a millisecond or two

_OPTIONS = re2.Options()
_OPTIONS.max_mem = MEMORY
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """Compile an expression.

    :raises ValueError: saying why it is none
    """
    if len(expression) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters")
    try:
        return re2.compile(expression, _OPTIONS)
    except re2.error as reason:
        words = reason.args[0]
        raise ValueError(words.decode(errors="replace") if isinstance(words, bytes) else str(words)) from reason


def matches(expression: str, text: object) -> bool | None:
    """Tell whether an expression matches any part of a text; of nothing (SQL's NULL) nobody can tell."""
    return None if text is None else compiled(expression).search(str(text)) is not None
