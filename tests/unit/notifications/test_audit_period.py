"""Audit periods follow one another without a gap."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.notifications.audit_period import AuditPeriod

AT = datetime(2026, 3, 10, 15, 20, 30, 5, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))
PERIODS = ["hour", "hour@30", "day", "day@18", "month", "month@15", "year", "year@5"]


@pytest.mark.parametrize(
    ("written", "beginning", "end"),
    [
        ("hour", "2026-03-10 15:00", "2026-03-10 16:00"),
        ("hour@30", "2026-03-10 14:30", "2026-03-10 15:30"),
        ("day", "2026-03-10 00:00", "2026-03-11 00:00"),
        ("day@18", "2026-03-09 18:00", "2026-03-10 18:00"),
        ("month", "2026-03-01 00:00", "2026-04-01 00:00"),
        ("month@15", "2026-02-15 00:00", "2026-03-15 00:00"),
        ("year", "2026-01-01 00:00", "2027-01-01 00:00"),
        ("year@5", "2025-05-01 00:00", "2026-05-01 00:00"),
    ],
)
def test_the_period_of_a_moment(written, beginning, end):
    """It is aligned to the calendar, or to the configured offset."""
    period = AuditPeriod.parse(written)
    assert period.beginning(AT) == datetime.fromisoformat(beginning).replace(tzinfo=UTC)
    assert period.end(period.beginning(AT)) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(
    st.sampled_from(PERIODS),
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(INDIA)),
)
def test_every_moment_is_in_one_period(written, at):
    """A period includes its begin and not its end, in any time zone."""
    period = AuditPeriod.parse(written)
    beginning = period.beginning(at)
    end = period.end(beginning)
    assert beginning <= at < end
    assert period.beginning(end) == end
    assert period.beginning(end - timedelta(microseconds=1)) == beginning


def test_the_periods_that_are_over():
    """The periods that ended since a moment come oldest first, without the current one."""
    hour = AuditPeriod.parse("hour")
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    one, two = noon + timedelta(hours=1), noon + timedelta(hours=2)
    assert list(hour.over(noon, two + timedelta(minutes=59))) == [(noon, one), (one, two)]
    assert list(hour.over(noon, one - timedelta(microseconds=1))) == []
    assert list(hour.over(two, noon)) == []


@pytest.mark.parametrize("written", ["", "week", "hour@60", "day@24", "month@0", "month@29", "year@13", "day@", "Hour"])
def test_an_invalid_period_is_refused(written):
    """The error quotes it."""
    with pytest.raises(ValueError, match="is no period"):
        AuditPeriod.parse(written)
