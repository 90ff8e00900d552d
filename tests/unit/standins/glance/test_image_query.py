from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from mininova import errors
from mininova.standins.glance import query


def parse(text):
    return query.parse(parse_qsl(text, keep_blank_values=True), max_limit=100)


def test_nothing_asked():
    """By default a page has the newest 25 images that are not hidden."""
    page = parse("")
    assert (page.limit, page.marker, page.sort) == (25, None, [("created_at", "desc")])
    assert page.wanted.among == {"os_hidden": [False]}
    assert page.wanted.visibility is None


def test_limit():
    """A limit may be 0, and is bounded by the service's own."""
    assert [parse(f"limit={limit}").limit for limit in (0, 7, 1000)] == [0, 7, 100]


@pytest.mark.parametrize(
    ("text", "values"),
    [("id=a", ["a"]), ("id=in:a,b", ["a", "b"]), ('id=in:a,"b,c"', ["a", "b,c"]), ("id=in:", [])],
)
def test_one_of_several(text, values):
    """After in: come several values, and quotes keep a comma."""
    assert parse(text).wanted.among["id"] == values


def test_filters():
    """Each known filter becomes a condition of the query; others are filters by a property."""
    wanted = parse("name=x&os_hidden=True&size_min=5&size_max=9&tag=a&tag=b&os_distro=debian&visibility=all").wanted
    assert wanted.among == {"name": ["x"], "os_hidden": [True]}
    assert wanted.compared == [("size", "gte", 5), ("size", "lte", 9)]
    assert wanted.tags == ["a", "b"]
    assert wanted.properties == {"os_distro": "debian"}
    assert wanted.visibility == "all"


@pytest.mark.parametrize(
    ("text", "comparison"),
    [("2026-01-02T03:04:05Z", "eq"), ("gt:2026-01-02T03:04:05Z", "gt"), ("lte:2026-01-02T03:04:05", "lte")],
)
def test_moments(text, comparison):
    """The operator before a time says how to compare; a time without a zone is UTC."""
    assert parse(f"created_at={text}").wanted.compared == [
        ("created_at", comparison, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ]


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("sort=name:asc,size", [("name", "asc"), ("size", "desc")]),
        ("sort_key=name", [("name", "desc")]),
        ("sort_key=name&sort_key=id&sort_dir=asc", [("name", "asc"), ("id", "asc")]),
        ("sort_key=name&sort_dir=asc&sort_key=id&sort_dir=desc", [("name", "asc"), ("id", "desc")]),
        ("sort_dir=asc", [("created_at", "asc")]),
    ],
)
def test_order(text, sort):
    """The new form and the old one of an order are read."""
    assert parse(text).sort == sort


@pytest.mark.parametrize(
    "text",
    [
        "limit=-1",
        "limit=x",
        "size_min=big",
        "protected=maybe",
        "visibility=secret",
        "member_status=maybe",
        "created_at=yesterday",
        "sort=location",
        "sort=name:up",
        "sort_key=owner",
        "sort_key=name&sort_dir=asc&sort_dir=asc",
    ],
)
def test_refused(text):
    """A malformed query is refused, not ignored."""
    with pytest.raises(errors.InvalidInput):
        parse(text)
