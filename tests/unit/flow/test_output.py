"""What the tools print: aligned columns, times, and no control characters."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from mininova.flow.output import ago, aligned, as_json, printable, titled


def test_columns_line_up():
    """Each column is as wide as its widest cell; numbers are aligned to the right."""
    assert aligned([["a", "1"], ["bcd", "10"]], right=(1,)) == [["a  ", " 1"], ["bcd", "10"]]


def test_headings_count():
    """A heading that is wider than its column widens it."""
    assert titled(["wide"], [["a"]]) == [["wide"], ["a   "]]


def test_no_rows():
    """An empty table prints nothing."""
    assert aligned([]) == []


def test_wide_letters_count_twice():
    """A letter that takes two places of a terminal is padded as such."""
    assert aligned([["\u96f2"], ["abc"]]) == [["\u96f2 "], ["abc"]]


def test_no_cell_writes_on_the_terminal():
    """A control character in a cell is escaped as in Python, and counts with its escaped length."""
    assert aligned([["\x1b[2J"], ["a"]]) == [[r"\x1b[2J"], ["a      "]]
    assert printable("a\nb\u202ec") == r"a\nb\u202ec"


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\u202e", "\U000e0001", "a\nb", "\u96f2"])
def test_json_is_the_same_text(text: str):
    """Control characters are escaped in JSON; letters stay as they are."""
    written = as_json({"text": text})
    assert json.loads(written) == {"text": text}
    assert all(line.isprintable() for line in written.splitlines())
    assert ("\u96f2" in written) == ("\u96f2" in text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s ago"), (3, "3 s ago"), (119, "119 s ago"), (600, "10 min ago"), (7200, "2 h ago"), (260000, "3 d ago")],
)
def test_ago(seconds: int, said: str):
    """A time in the past is shown in the unit that a person would choose."""
    now = datetime.now(UTC)
    assert ago(now - timedelta(seconds=seconds), now) == said
