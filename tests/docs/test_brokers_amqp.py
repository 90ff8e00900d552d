"""docs/rpc/brokers.md says of each promise on which brokers its test runs, and the tests run there."""

import re
import subprocess
import sys
from functools import cache

import pytest
from documentation import ROOT

from mininova.trust.broker import qpid

PAGE = (ROOT / "docs/rpc/brokers.md").read_text()
TABLE = PAGE.partition("| promise | RabbitMQ |")[2].partition("\n\n")[0].splitlines()[2:]
ROWS = [[cell.strip() for cell in line.strip("| ").split("|")] for line in TABLE]

#: A column's broker, as the parameters of tests call it.
CALLED = {"RabbitMQ": {"amqp", "rabbitmq", "rabbit", "private_broker"}, "quorum": {"quorum"}, "Qpid": {"qpid"}}


@cache
def collected() -> list[str]:
    """List the tests of the files that the table names, as pytest has them."""
    files = sorted({test.strip("`").partition("::")[0] for *_, test in ROWS})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return [line for line in done.stdout.splitlines() if "::" in line]


def runs_on(test: str, broker: str) -> bool:
    """Tell whether a test runs on a broker: by its parameter, or as one that needs no other than RabbitMQ."""
    variants = [
        line.removeprefix(test).strip("[]") for line in collected() if re.match(rf"{re.escape(test)}(\[|$)", line)
    ]
    assert variants, test
    known = set().union(*CALLED.values())
    named = [set(re.split(r"[-\[\]]", variant)) & known for variant in variants]
    if not any(named):
        return broker == "RabbitMQ"
    return any(one & CALLED[broker] for one in named)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_promise_is_kept_where_its_test_runs(row: list[str]):
    """A cell is "yes" if the test runs on that broker, and then may name what is weaker there all the same."""
    _, rabbit, quorum, on_qpid, test = row
    for broker, cell in {"RabbitMQ": rabbit, "quorum": quorum, "Qpid": on_qpid}.items():
        found = re.fullmatch(r"(yes|no|)(?: \(([\d, ]+)\))?", cell)  # empty: not tried
        assert found, cell
        assert (found[1] == "yes") == runs_on(test.strip("`"), broker), (broker, cell)
        weaker = [int(number) for number in re.findall(r"\d+", found[2] or "")]
        assert all(1 <= number <= len(qpid.WEAKER) for number in weaker)
        assert weaker or found[1] != "no"


def test_what_is_weaker_is_listed():
    """The page has the sentences of ``mininova-manage check``, in their order, and names tests that are there."""
    listed = re.findall(r"^(\d+)\. (.+?)\.(?: `(tests/\S+)` shows it\.)?$", _unwrapped(), re.MULTILINE)
    assert [(int(number), text) for number, text, _ in listed] == list(enumerate(qpid.WEAKER, 1))
    for *_, test in listed:
        path, _, name = test.partition("::")
        assert not test or f"\ndef {name}(" in (ROOT / path).read_text(), test


def _unwrapped() -> str:
    listed = PAGE.partition("What is weaker on Qpid")[2].partition("The first is grave")[0]
    return re.sub(r"\n {3,4}(?=\S)", " ", listed)
