"""The guards that tests/attack/mutations.py breaks are where it says, and tests/attack/README.md lists them."""

import re
from pathlib import Path

import pytest

from tests.attack.mutations import MUTATIONS, ROOT, Mutation, row

LISTED = [line for line in (ROOT / "tests/attack/README.md").read_text().splitlines() if line.count("`mininova/")]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_a_guard_is_where_the_table_says(mutation: Mutation):
    """The text that is to be broken is in its file once, and the tests that are to notice exist."""
    assert (ROOT / mutation.file).read_text().count(mutation.old) == 1
    assert all((ROOT / test).exists() for test in mutation.tests if test.startswith("tests/"))


def test_the_list_has_each_guard():
    """A guard that was added, moved or removed changes the list; so does a test of it that has another name."""
    tests = [re.findall(r"`(tests/[^`]+)` \|$", line)[0] for line in LISTED]

    assert [row(mutation, [test]) for mutation, test in zip(MUTATIONS, tests, strict=True)] == LISTED
    for test in tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in Path(ROOT, file).read_text(), test
