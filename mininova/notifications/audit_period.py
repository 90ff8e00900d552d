"""The periods that usage is told by: hours, days, months or years, in UTC, one after the other without a gap.

``[DEFAULT] instance_usage_audit_period`` names one; compute/usage.py tells what each instance did in it.

Source: nova, ``utils.py`` (``last_completed_audit_period``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

_WRITTEN = re.compile(r"(hour|day|month|year)(?:@(\d{1,2}))?")

# What the number after the @ is, from where, and to where every hour, day, month and year has it.
_OFFSETS = {"hour": ("minute", 0, 59), "day": ("hour", 0, 23), "month": ("day", 1, 28), "year": ("month", 1, 12)}


@dataclass(frozen=True)
class AuditPeriod:
    """How long each period is, and where in the hour, the day, the month or the year it begins.

    :param offset: a minute, an hour, a day or a month
    """

    unit: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``hour``, ``day``, ``month`` or ``year``, with ``@`` and an offset or without: ``day@18``.

        :raises ValueError: for anything else
        """
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError(f"{text!r} is no period: write hour, day, month or year, or with an offset day@18")
        part, low, high = _OFFSETS[written[1]]
        offset = int(written[2] or low)
        if not low <= offset <= high:
            raise ValueError(f"{text!r} is no period: the {part} that it begins in is from {low} to {high}")
        return cls(written[1], offset)

    def beginning(self, at: datetime) -> datetime:
        """Tell when the period began that a moment is in."""
        at = at.astimezone(UTC).replace(second=0, microsecond=0)
        match self.unit:
            case "hour":
                begun = at.replace(minute=self.offset)
            case "day":
                begun = at.replace(hour=self.offset, minute=0)
            case "month":
                begun = at.replace(day=self.offset, hour=0, minute=0)
            case _:
                begun = at.replace(month=self.offset, day=1, hour=0, minute=0)
        return begun if begun <= at else self._later(begun, -1)

    def end(self, beginning: datetime) -> datetime:
        """Tell when the period ends that begins then, and the next one begins."""
        return self._later(beginning, 1)

    def _later(self, beginning: datetime, count: int) -> datetime:
        if self.unit in ("hour", "day"):
            return beginning + timedelta(**{f"{self.unit}s": count})
        months = 12 * beginning.year + beginning.month - 1 + count * (12 if self.unit == "year" else 1)
        return beginning.replace(year=months // 12, month=months % 12 + 1)

    def over(self, since: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the beginning and the end of each period that ended after ``since`` and is over, the oldest first."""
        beginning = self.beginning(since)
        while (end := self.end(beginning)) <= now:
            yield beginning, end
            beginning = end


HOUR = AuditPeriod.parse("hour")
