"""mininova-manage host limit."""

from mininova.db import limits as table
from mininova.manage import limits

NOTHING = dict.fromkeys(limits.OPTIONS)


def test_limits_are_set_and_shown(run, db):
    """What is given is set; what is not stays as it was."""
    assert run(limits.change, host="host-1", forget=False, **{**NOTHING, "vcpus": 4}) == ["host-1 may offer vcpus 4"]
    (line,) = run(limits.change, host="host-1", forget=False, **{**NOTHING, "availability_zone": "gold"})
    assert line == "host-1 may offer vcpus 4, availability_zone gold"


def test_without_options_they_are_shown(run, db):
    """A host of which nothing is recorded offers what it says."""
    assert run(limits.change, host="host-1", forget=False, **NOTHING) == ["host-1 may offer what its next report says"]


def test_forget(run, db):
    """What is not given is forgotten."""
    run(limits.change, host="host-1", forget=False, **{**NOTHING, "vcpus": 4, "memory_mb": 512})
    run(limits.change, host="host-1", forget=True, **{**NOTHING, "vcpus": 8})
    with db.read() as tx:
        assert table.get(tx, "host-1") == table.Limits(host="host-1", vcpus=8)
