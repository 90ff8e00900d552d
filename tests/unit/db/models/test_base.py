"""The column types: moments in UTC and values as JSON."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import mysql, postgresql, sqlite

from mininova.db.models.base import Json, UTCDateTime
from mininova.objects import Flavor

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
DIALECTS = [sqlite.dialect(), mysql.dialect(), postgresql.dialect()]


def there_and_back(kind, dialect, value):
    return kind.result_processor(dialect, None)(kind.bind_processor(dialect)(value))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("moment", [MOMENT, MOMENT.replace(microsecond=0), None])
def test_a_moment_comes_back_with_its_zone(dialect, moment):
    """It is the same to the microsecond, and in UTC; None stays None."""
    back = there_and_back(UTCDateTime(), dialect, moment)
    assert back == moment
    assert back is None or back.tzinfo is UTC


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_of_another_zone_is_kept_in_utc(dialect):
    """The moment is the same, written in UTC."""
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert there_and_back(UTCDateTime(), dialect, elsewhere).hour == MOMENT.hour


def test_texts_of_moments_sort_as_the_moments_do():
    """SQLite compares texts, so all moments have the same length, also those without fractions."""
    write = UTCDateTime().bind_processor(sqlite.dialect())
    moments = [MOMENT.replace(microsecond=0), MOMENT, MOMENT + timedelta(seconds=1)]
    texts = [write(moment) for moment in moments]
    assert texts == sorted(texts)
    assert len({len(text) for text in texts}) == 1


def test_mysql_keeps_fractions_of_seconds():
    """A DATETIME without a precision would drop them."""
    assert str(UTCDateTime().compile(mysql.dialect())) == "DATETIME(6)"


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (Flavor, Flavor(flavor_id="1", name="m1", memory_mb=1, vcpus=1, root_gb=1, extra_specs={"a": "b"})),
        (tuple[str, ...], ("a", "b")),
        (dict[str, str], {"a": "ö"}),
        (dict[str, str], None),
    ],
)
def test_json_comes_back_as_its_type(of, value):
    """Objects and tuples too, not only what JSON knows."""
    assert there_and_back(Json(of), sqlite.dialect(), value) == value


def test_shared_json_is_decoded_once():
    """Equal texts give one object, for a column that allows it."""
    read = Json(dict[str, str], shared=True).result_processor(sqlite.dialect(), None)
    assert read('{"a":"b"}') is read('{"a":"b"}')
    read = Json(dict[str, str]).result_processor(sqlite.dialect(), None)
    assert read('{"a":"b"}') is not read('{"a":"b"}')
