"""Lists of hosts, as people and configuration files write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.trust import host_lists

NAMES = st.from_regex(r"[a-z](-?[0-9]{1,4})?(-[a-z]|\.[0-9]{1,3})?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("edge", ("edge",)),
        (" edge ,, host-1 ", ("edge", "host-1")),
        ("host-[9-11]", ("host-9", "host-10", "host-11")),
        ("n[098-101].rack", ("n098.rack", "n099.rack", "n100.rack", "n101.rack")),
        ("[0-1]", ("0", "1")),
        ("a[7-7], b", ("a7", "b")),
        ("", ()),
        (" , ", ()),
    ],
)
def test_names_and_ranges(text, names):
    """The numbers of a range have as many digits as its first one, if that begins with 0."""
    assert host_lists.read(text) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("host-[1-", "'host-[1-' is no range of hosts: write them like edge, node-[0001-1000]"),
        ("host-[1,2]", "'host-[1' is no range"),
        ("a[1-2]b[3-4]", "is no range"),
        ("host-[9-3]", "'host-[9-3]' ends before it begins"),
        ("host_[1-3]", "'host_1' is no name of a host"),
        ("a, b, a", "a is named twice"),
        ("host-[1-9], host-[9-12]", "host-9 is named twice"),
        ("a.dead", "'a.dead' ends as the names of queues do"),
        ("host-[1-5001]", "more than 5000 hosts"),
        ("host-[1-99999999999999]", "more than 5000 hosts"),
    ],
)
def test_an_invalid_list_of_hosts(text, said):
    """The error says what is wrong; a range that is too long is refused quickly."""
    with pytest.raises(ValueError, match=re.escape(said)):
        host_lists.read(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["edge", "host-1", "host-2", "host-3"], "edge, host-[1-3]"),
        (["host-1", "host-2"], "host-1, host-2"),
        (["n08", "n09", "n10", "n12", "n13", "n14"], "n[08-10], n[12-14]"),
        ([f"node-{number:04}" for number in range(1, 1001)], "node-[0001-1000]"),
        ([], ""),
    ],
)
def test_hosts_are_written_short(names, text):
    """Three in a row are a range, and two are not."""
    assert host_lists.write(names) == text


@given(st.lists(NAMES, unique=True))
def test_a_list_is_read_as_it_was_written(names):
    """Any names, in any order, are read back."""
    assert host_lists.read(host_lists.write(names)) == tuple(names)


@given(st.integers(0, 1200), st.integers(0, 40), st.integers(1, 4))
def test_numbered_hosts_are_read_as_they_were(first, count, width):
    """Numbers that gain a digit within a range are read back."""
    names = tuple(f"n{number:0{width}}-x" for number in range(first, first + count))
    assert host_lists.read(host_lists.write(names)) == names
