"""Which texts of clients are numbers and times."""

from datetime import UTC, datetime

import pytest

from mininova.wsgi.values import MAX_INT64, moment, whole


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("-7", -7), ("1" * 30, MAX_INT64), ("-" + "1" * 30, -MAX_INT64), ("٣", 3), (1.0, 1)]
)
def test_a_number_fits_into_a_database(text: str | float, number: int) -> None:
    """A number too large for a column becomes the largest that fits."""
    assert whole(text) == number


@pytest.mark.parametrize("text", ["", "x", "1.5", "0x5", "9" * 5000])
def test_invalid_numbers(text: str) -> None:
    """A number has digits only, and not thousands of them."""
    with pytest.raises(ValueError, match=r"digits|invalid literal"):
        whole(text)


def test_a_moment_is_in_utc_unless_it_says() -> None:
    """A time zone is kept; without one a time is UTC."""
    assert moment("2026-11-22T10:00:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert moment("2026-11-22T11:00:00+01:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-30", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59", "9999-12-31T23:59:59-23:59"]
)
def test_invalid_moments(text: str) -> None:
    """A time at the calendar's ends leaves no room for time zones and sums, and is refused."""
    with pytest.raises(ValueError, match=r"calendar|isoformat|day is out of range"):
        moment(text)
