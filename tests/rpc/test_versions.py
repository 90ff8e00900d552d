"""When a receiver understands a version, and how versions compare."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.rpc import Version, since
from mininova.rpc.versions import common, since_of

versions = st.builds(Version, st.integers(0, 20), st.integers(0, 20))


@given(versions)
def test_a_version_is_read_as_it_is_written(version):
    """Reading and writing a version gives the same text."""
    assert Version.parse(str(version)) == version


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.2.3", "1,2", "-1.0", "1.0 ", "².0", "1." + "9" * 5000])
def test_an_invalid_version_is_refused(text):
    """Only MAJOR.MINOR is a version."""
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR|digits"):
        Version.parse(text)


@given(versions, versions)
def test_a_speaker_accepts_its_major_up_to_its_minor(ours, theirs):
    """A receiver understands its own major, up to its own minor."""
    assert ours.accepts(theirs) == (ours.major == theirs.major and ours.minor >= theirs.minor)


def test_a_minor_of_two_digits_is_newer_than_one_of_one():
    """Versions are compared as numbers, not as text."""
    assert Version.parse("1.10").accepts(Version.parse("1.9"))


def test_a_mark_is_found_in_an_annotation():
    """An argument without a mark was there from the start."""
    assert since_of(Annotated[str, "a note", since("1.2")]) == since("1.2")
    assert since_of(Annotated[str, "a note"]) is None
    assert since_of(str) is None


@pytest.mark.parametrize(
    ("said", "newest"),
    [
        ([], "1.4"),
        (["1.4"], "1.4"),
        (["1.9"], "1.4"),
        (["1.2", "1.3"], "1.2"),
        (["1.2 2.0", "1.3 2.1"], "1.2"),
        (["2.0", "1.3"], None),
        ([""], None),
    ],
)
def test_the_version_that_all_understand(said: list[str], newest: str | None):
    """The common version is the newest of our major that each receiver understands, or none."""
    assert common("1.4", said) == (newest and Version.parse(newest))
