"""Reads numbers and moments from text, such as Python can work with and any database can hold.

The five services read their parameters with it.  Text that no honest client sends (a number of 5,000 digits, a moment
before the first year) is no number and no moment here, where Python would give up on it later.
"""

from datetime import UTC, datetime

MAX_INT64 = 2**63 - 1
MAX_DIGITS = 100
# A day from the ends of the calendar, so that time zones and sums stay within it.
MIN_MOMENT, MAX_MOMENT = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def whole(value: str | float) -> int:
    """Read a whole number; one beyond 64 bits becomes the greatest or the least of them.

    :param value: text, or a number of a JSON document, where 1.0 is a whole one, too

    :raises ValueError: when it is none
    """
    text = str(int(value) if isinstance(value, float) else value)
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has at most {MAX_DIGITS} digits")
    return max(-MAX_INT64, min(MAX_INT64, int(text)))


def moment(text: str) -> datetime:
    """Read a moment (ISO 8601); without a time zone it is in UTC.

    :raises ValueError: when it is none
    """
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if not MIN_MOMENT < when < MAX_MOMENT:
        raise ValueError(f"{text} is at the end of the calendar")
    return when
