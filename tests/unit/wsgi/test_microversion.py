"""Microversions."""

import pytest

from mininova.wsgi import Microversion


def test_parses_and_compares() -> None:
    """A microversion is a pair, not a decimal number: 2.9 comes before 2.10."""
    assert Microversion.parse("2.9") < Microversion.parse("2.10") == (2, 10)
    assert str(Microversion.parse("2.47")) == "2.47"


@pytest.mark.parametrize("text", ["", "2", "2.x", "02.1", "2.01", "2.1.1", " 2.1", "latest", "2.-1"])
def test_refuses_other_forms(text: str) -> None:
    """Any other form than MAJOR.MINOR is refused."""
    with pytest.raises(ValueError, match="is written MAJOR"):
        Microversion.parse(text)
