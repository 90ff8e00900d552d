"""Denials are counted by caller, method and object, and a caller cannot fill the table."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from mininova.db import denials
from mininova.db.denials import Denied

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = Denied(
    caller="compute.host-1", method="get_instance", object="u-1", reason="not its own", count=1,
    first_at=NOW, last_at=NOW,
)  # fmt: skip


def test_the_same_again_is_counted(tx):
    """Equal denials are one row, with the first and last time and the last reason."""
    later = NOW + timedelta(seconds=5)
    denials.record(tx, ONE)
    denials.record(tx, replace(ONE, count=3, reason="still not", first_at=later, last_at=later))
    assert denials.search(tx) == [replace(ONE, count=4, reason="still not", last_at=later)]


def test_the_latest_come_first(tx):
    """The list can be limited to one caller."""
    for n, caller in enumerate(("a", "b", "a")):
        denials.record(tx, replace(ONE, caller=caller, object=str(n), last_at=NOW + timedelta(seconds=n)))
    assert [(each.caller, each.object) for each in denials.search(tx)] == [("a", "2"), ("b", "1"), ("a", "0")]
    assert [each.object for each in denials.search(tx, caller="a", limit=1)] == ["2"]


def test_a_flood_of_objects_ends_in_one_row(tx):
    """A caller with ever new objects fills its rows, and then one more; other callers have theirs."""
    for n in range(denials.MAX_ROWS_PER_CALLER + 7):
        denials.record(tx, replace(ONE, object=str(n)))
    denials.record(tx, replace(ONE, object="3"))
    denials.record(tx, replace(ONE, caller="compute.host-2"))
    rows = denials.search(tx, caller="compute.host-1")
    assert len(rows) == denials.MAX_ROWS_PER_CALLER + 1
    counts = {each.object: each.count for each in rows}
    assert (counts[denials.REST], counts["3"]) == (7, 2)
    assert len(denials.search(tx, caller="compute.host-2")) == 1


def test_forget(tx):
    """An operator deletes a caller's denials, or all."""
    for caller in ("a", "b", "c"):
        denials.record(tx, replace(ONE, caller=caller))
    assert denials.forget(tx, "a") == 1
    assert denials.forget(tx) == 2
    assert denials.search(tx) == []


def test_racing_conductors_lose_none(race, db):
    """Two conductors that count the same denial for the first time count two."""
    race(denials.record, ONE, ONE)
    with db.read() as tx:
        assert [each.count for each in denials.search(tx)] == [2]
