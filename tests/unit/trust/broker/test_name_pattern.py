"""A regular expression for many names is short, and matches only them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.trust import host_lists
from mininova.trust.broker.name_pattern import any_of

NAMES = st.text("ab1.-", min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["host-1"], r"host\-1"),
        (["a", "b"], "[ab]"),
        (["a.b", "a-b"], r"a[\.\-]b"),
        (["edge", "host-1", "host-2"], r"(edge|host\-[12])"),
        (["host-1", "host-10", "host-1.x"], r"host\-1(0|\.x)?"),
    ],
)
def test_a_common_part_of_names_is_written_once(names, pattern):
    """A common beginning or end of the names is written once."""
    assert any_of(names) == pattern


@given(st.lists(NAMES), st.lists(NAMES))
def test_the_names_match_and_no_others(names, others):
    """It matches the names and no others, in full."""
    pattern = re.compile(f"^(x|{any_of(names)})$")
    assert [name for name in names if not pattern.search(name)] == []
    assert [other for other in others if pattern.search(other)] == [other for other in others if other in names]


@pytest.mark.parametrize("hosts", ["node-[0001-1000]", "rack-1-[1-5000]", "n[1-3000].a, n[2500-4000].b"])
def test_a_range_is_short(hosts):
    """RabbitMQ limits a compiled expression to 64 KiB, and each name is in it twice."""
    assert len(any_of(host_lists.read(hosts))) < 500
