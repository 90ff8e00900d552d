"""mininova-manage host limit."""

import argparse
import json
import re

import pytest

from mininova.db import limits as table
from mininova.manage import limits

NEXT = "what its next report says"
NOTHING = dict.fromkeys(limits.OPTIONS)


def test_limits_are_set_and_shown(run, db):
    """Given limits are set; the others stay."""
    run(limits.change, host="host-1", forget=False, **{**NOTHING, "vcpus": 4})
    lines = run(limits.change, host="host-1", forget=False, **{**NOTHING, "availability_zone": "gold"})
    assert [re.split("  +", line) for line in lines] == [
        ["host", "host-1"],
        ["vcpus", "4"],
        *([name, NEXT] for name in limits.OPTIONS if name not in ("vcpus", "availability_zone")),
        ["availability_zone", "gold"],
    ]


def test_without_options_they_are_shown(run, db):
    """A host without recorded limits offers what it reports."""
    _, *lines = run(limits.change, host="host-1", forget=False, **NOTHING)
    assert {re.split("  +", line)[1] for line in lines} == {NEXT}


def test_as_json(run, db):
    """As JSON, a limit is a number, or null when the next report sets it."""
    told = run(limits.change, host="host-1", forget=False, format="json", **{**NOTHING, "vcpus": 4})
    assert json.loads("".join(told)) == {"host": "host-1", **NOTHING, "vcpus": 4}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("vcpus", "-3"), ("memory_mb", "1" * 20), ("local_gb", "many"), ("cpu_allocation_ratio", "nan"),
        ("ram_allocation_ratio", "0"), ("disk_allocation_ratio", "inf"), ("availability_zone", ""),
        ("availability_zone", "z" * 256),
    ],
)  # fmt: skip
def test_what_no_host_could_report_is_refused(capsys, option, said):
    """A limit is what a report may have at most, so it is read as a field of one; a line says what is wrong."""
    command = argparse.ArgumentParser()
    limits.arguments(command)
    with pytest.raises(SystemExit):
        command.parse_args(["host-1", f"--{option.replace('_', '-')}={said}"])
    assert re.search("error: argument --[a-z-]+: Expected `(int|float|str)`.*, not", capsys.readouterr().err)


def test_forget(run, db):
    """Limits that are not given are deleted."""
    run(limits.change, host="host-1", forget=False, **{**NOTHING, "vcpus": 4, "memory_mb": 512})
    run(limits.change, host="host-1", forget=True, **{**NOTHING, "vcpus": 8})
    with db.read() as tx:
        assert table.get(tx, "host-1") == table.Limits(host="host-1", vcpus=8)
