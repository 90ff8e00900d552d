"""Regular expressions: which are valid, and what they match."""

import pytest

from mininova.db import expressions


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [("vm", "my-vm-1", True), ("^vm", "my-vm", False), ("(?i)VM$", "vm", True), (r"\d+", "a1", True), ("é", "é", True)],
)
def test_any_part_may_match(expression: str, text: str, found: bool) -> None:
    """An expression is searched for, as by Python's search."""
    assert expressions.matches(expression, text) is found


def test_nothing_is_unknown() -> None:
    """SQL's NULL is neither a match nor a mismatch."""
    assert expressions.matches("a", None) is None


def test_malice_takes_no_time() -> None:
    """An expression that Python would try 2**255 times is decided in one pass."""
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
def test_an_invalid_expression_is_refused(expression: str, words: str) -> None:
    """The reason is a sentence for the user; backreferences and lookarounds are not supported."""
    with pytest.raises(ValueError, match=words):
        expressions.compiled(expression)
