"""Regular expressions: which are ones, and what they match."""

import pytest

from mininova.db import expressions


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [("vm", "my-vm-1", True), ("^vm", "my-vm", False), ("(?i)VM$", "vm", True), (r"\d+", "a1", True), ("é", "é", True)],
)
def test_any_part_may_match(expression: str, text: str, found: bool) -> None:
    """An expression is looked for, as by Python's search."""
    assert expressions.matches(expression, text) is found


def test_nothing_is_unknown() -> None:
    """SQL's NULL neither matches nor does not."""
    assert expressions.matches("a", None) is None


def test_malice_takes_no_time() -> None:
    """What Python would try 2**255 times is decided by reading once."""
    assert expressions.matches("(a+)+$", "a" * 255 + "!") is False


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(", "missing"),
        (r"(a)\1", "escape"),
        ("(?!a)", "operator"),
        ("a{1001}", "repetition"),
        (r"\pL{1000}", "too large"),
        ("a" * 256, "255"),
    ],
)
def test_what_is_none_is_said(expression: str, words: str) -> None:
    """The reason is a sentence for the user; going back and looking around are no part of it."""
    with pytest.raises(ValueError, match=words):
        expressions.compiled(expression)
