"""Moments, in the two ways in which Nova writes them; isoformat() is by far the fastest way to either."""

from datetime import datetime


def iso(moment: datetime) -> str:
    """Write ``2026-08-21T10:00:00Z``."""
    return moment.isoformat(timespec="seconds")[:19] + "Z"


def bare(moment: datetime | None) -> str | None:
    """Write ``2026-08-21T10:00:00.000000``, UTC without saying so."""
    return moment.isoformat(timespec="microseconds")[:26] if moment is not None else None
