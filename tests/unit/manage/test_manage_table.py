"""Moments, as the operator reads them."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova.manage import table


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s ago"), (3, "3 s ago"), (119, "119 s ago"), (600, "10 min ago"), (7200, "2 h ago"), (260000, "3 d ago")],
)
def test_ago(seconds: int, said: str):
    """Time that passed is told in the unit that a person would choose."""
    now = datetime.now(UTC)
    assert table.ago(now - timedelta(seconds=seconds), now) == said
