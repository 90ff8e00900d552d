"""Regular expressions that users send, matched in a time that grows with the text only.

An attacker can make Python's own ``re`` try for ever, and then a whole process stands still; RE2 always ends.  It knows
no back-references and no looking around, which not all databases know either.  The api asks
whether an expression is one; SQLite, which has none, matches with it (mininova/db/session.py).
"""

from functools import lru_cache
from typing import Any

import re2
from sqlalchemy import ColumnElement

from mininova import errors

MAX_EXPRESSION_CHARS = 255  # as many as a name has
MAX_MEMORY_BYTES = 16 * 1024  # what one expression may take: what fits is matched in a millisecond or two

_OPTIONS = re2.Options()
_OPTIONS.max_mem = MAX_MEMORY_BYTES
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """Compile an expression.

    :raises ValueError: saying why it cannot be compiled
    """
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise ValueError(f"an expression has at most {MAX_EXPRESSION_CHARS} characters")
    try:
        return re2.compile(expression, _OPTIONS)
    except re2.error as reason:
        words = reason.args[0]
        raise ValueError(words.decode(errors="replace") if isinstance(words, bytes) else str(words)) from reason


def matches(expression: str, text: object) -> bool | None:
    """Tell whether an expression matches any part of a text; for SQL's NULL the answer is NULL."""
    return None if text is None else compiled(expression).search(str(text)) is not None


def matching(column: ColumnElement[Any], name: str, expression: str) -> ColumnElement[bool]:
    """Write the condition that an expression matches any part of a column.

    :param name: what the user calls the column
    :raises errors.InvalidInput: when it is no expression
    """
    try:
        compiled(expression)
    except ValueError as error:
        raise errors.InvalidInput(reason=f"{name} is no regular expression: {error}") from error
    return column.regexp_match(expression)
