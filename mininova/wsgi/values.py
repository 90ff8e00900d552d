"""What text from outside stands for: numbers and moments that Python can work with and any database can hold.

The three services read their parameters with it.  Text that no honest client sends (a number of 5,000 digits, a moment
before the first year) is no number and no moment here, where Python would give up on it later.
"""

from datetime import UTC, datetime

GREATEST = 2**63 - 1
LONGEST = 100  # characters of a number
# A day from the ends of the calendar, so that time zones and sums stay within it.
EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def whole(text: str) -> int:
    """Read a whole number; of those beyond what a database holds, give the last that it does.

    :raises ValueError: when it is none
    """
    if len(text) > LONGEST:
        raise ValueError(f"a number has at most {LONGEST} digits")
    return max(-GREATEST, min(GREATEST, int(text)))


def moment(text: str) -> datetime:
    """Read a moment (ISO 8601); without a time zone it is in UTC.

    :raises ValueError: when it is none
    """
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if not EARLIEST < when < LATEST:
        raise ValueError(f"{text} is at the end of the calendar")
    return when
