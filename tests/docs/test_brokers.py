"""docs/rpc/brokers.md has the promises that brokers lack as the code has them, and the tests that they leave out."""

import re

from documentation import ROOT

from mininova.rpc.transports.kombu import brokers
from mininova.rpc.transports.kombu.brokers import BROKERS, PREFIX

PAGE = (ROOT / "docs/rpc/brokers.md").read_text()
PROMISES = sorted(set().union(*(broker.lacks for broker in BROKERS.values())))
NEEDING = re.compile(r"^((?:@.*\n)+)def (test_\w+)", re.MULTILINE)
ALL_NEED = re.compile(r"^pytestmark = needs\((\w+)\)$", re.MULTILINE)


def cells(row: str) -> list[str]:
    """Give the cells of a row of a table."""
    return [cell.strip() for cell in row.strip("| ").split("|")]


def table(first: str) -> list[list[str]]:
    """Give the rows of the table whose head begins so, without the head."""
    lines = PAGE.partition(first)[2].partition("\n\n")[0].splitlines()
    return [cells(line) for line in lines[2:]]


def test_a_broker_keeps_what_it_does_not_lack():
    """A cell is "yes" for a promise that the broker keeps; any other has a footnote, which names a test."""
    head = cells(PAGE.partition("| the broker … | `")[2].partition("\n")[0])
    names = [name.strip("`").removeprefix(PREFIX) for name in head]
    rows = {row[0]: row[1:] for row in table("| the broker … | `")}

    assert names == list(BROKERS)
    assert sorted(rows) == PROMISES
    for promise, row in rows.items():
        kept = [name for name, cell in zip(names, row, strict=True) if cell == "yes"]
        assert kept == [name for name in names if promise not in BROKERS[name].lacks], promise
        assert all(re.fullmatch(r"yes|.+\[\^\w+\]", cell) for cell in row), promise


def test_footnotes_name_tests():
    """Each is used, and its test is there."""
    notes = dict(re.findall(r"^\[\^(\w+)\]: `(.+)`$", PAGE, re.MULTILINE))

    assert sorted(notes) == sorted(set(re.findall(r"\[\^(\w+)\](?!:)", PAGE)))
    for test in notes.values():
        path, _, name = test.partition("::")
        assert f"\ndef {name}(" in (ROOT / path).read_text(), test


def test_each_test_that_is_left_out_is_listed():
    """The page has every test with a mark, by the promise that it needs, and no other."""
    marked: dict[str, list[str]] = {promise: [] for promise in PROMISES}
    for path in sorted((ROOT / "tests/wire").glob("test_*.py")):
        text = path.read_text()
        for promise in ALL_NEED.findall(text):
            marked[getattr(brokers, promise)].append(f"all of `{path.relative_to(ROOT)}`")
        for marks, test in NEEDING.findall(text):
            for promise in re.findall(r"@needs\((\w+)\)", marks):
                marked[getattr(brokers, promise)].append(f"`{test}`")
    listed = {row[0]: row[1] for row in table("| the broker … | tests")}

    assert {promise: ", ".join(tests) or "none" for promise, tests in marked.items()} == listed
