"""Rows of text in columns."""

from mininova.flow.columns import aligned, titled


def test_columns_line_up():
    """Cells are as wide as the widest of their column; numbers stand to the right."""
    assert aligned([["a", "1"], ["bcd", "10"]], right=(1,)) == [["a  ", " 1"], ["bcd", "10"]]


def test_headings_count():
    """A heading that is wider than its column widens it."""
    assert titled(["wide"], [["a"]]) == [["wide"], ["a   "]]


def test_no_rows():
    """Nothing lines up with nothing."""
    assert aligned([]) == []
