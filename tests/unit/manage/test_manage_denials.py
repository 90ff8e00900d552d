"""mininova-manage denials."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from mininova.db import denials as table
from mininova.db.denials import Denied
from mininova.manage import denials


@pytest.fixture
def two(db):
    """Record two denials of two callers, a while ago."""
    then = datetime.now(UTC) - timedelta(minutes=5)
    with db.write() as tx:
        for caller, about in (("compute.host-1", "u-1"), ("", "u-2\x1b[2J")):
            reason = f"{caller} may not get_instance {about}: it is on none of its hosts"
            what = {"caller": caller, "method": "get_instance", "object": about, "reason": reason}
            table.record(tx, Denied(**what, count=2, first_at=then, last_at=then))


def test_none(run, db):
    """Without denials the command says so."""
    assert run(denials.show, caller=None) == ["No caller was denied anything."]
    assert run(denials.show, caller="compute.host-1") == ["compute.host-1 was denied nothing."]


def test_list(run, two):
    """A row has the caller, the method, the count and the reason, without control characters."""
    head, nobody, host_1 = run(denials.show, caller=None)
    assert re.split(r"  +", head) == ["caller", "method", "object", "times", "first", "last", "why"]
    assert re.split(r"  +", host_1) == [
        "compute.host-1", "get_instance", "u-1", "2", "5 min ago", "5 min ago", "it is on none of its hosts"
    ]  # fmt: skip
    assert nobody.startswith("(unknown)")
    assert r"u-2\x1b[2J" in nobody


def test_list_as_json(run, two):
    """As JSON, times and numbers have their types, and control characters are escaped."""
    text = run(denials.show, caller=None, format="json")
    unknown, host_1 = json.loads("\n".join(text))
    assert (unknown["caller"], unknown["object"], host_1["times"]) == ("", "u-2\x1b[2J", 2)
    assert datetime.fromisoformat(host_1["first"]) < datetime.now(UTC)
    assert all(line.isprintable() for line in text)


def test_one_caller(run, two):
    """The list can have one caller's denials."""
    assert len(run(denials.show, caller="compute.host-1")) == 2


def test_clear(run, two, db):
    """An operator deletes denials after reading them."""
    assert run(denials.clear, caller="compute.host-1") == ["forgot 1 denial"]
    assert run(denials.clear, caller=None) == ["forgot 1 denial"]
    assert run(denials.clear, caller=None) == ["forgot 0 denials"]
