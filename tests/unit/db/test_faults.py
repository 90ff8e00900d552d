"""Faults tell an owner why an instance is in ERROR."""

from mininova.db import faults
from mininova.objects import Fault


def test_the_latest_fault_counts(tx):
    """Each instance has its last fault; those that have none are left out."""
    faults.create(tx, "a", Fault(code=500, message="first"))
    second = faults.create(tx, "a", Fault(code=404, message="second", details="more"), host="host-1")
    other = faults.create(tx, "b", Fault(code=500, message="other"))
    assert faults.latest(tx, ["a", "b", "c"]) == {"a": second, "b": other}
    assert faults.latest(tx, ["a"]) == {"a": second}


def test_nobody_has_no_faults(tx):
    """Asking for none gives none."""
    assert faults.latest(tx, []) == {}


def test_a_fault_has_a_moment(tx):
    """It is that of the failure, if it is known, or now."""
    fault = faults.create(tx, "a", Fault(code=500, message="late"))
    assert fault.created_at is not None
    assert faults.create(tx, "a", fault).created_at == fault.created_at


def test_a_long_message_is_cut(tx):
    """A message is no longer than there is room for; the details may be."""
    faults.create(tx, "a", Fault(code=500, message="m" * 300, details="d" * 300))
    fault = faults.latest(tx, ["a"])["a"]
    assert (fault.message, fault.details) == ("m" * 255, "d" * 300)
