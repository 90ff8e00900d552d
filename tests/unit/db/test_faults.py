"""Faults tell an owner why an instance is in ERROR."""

from mininova.db import faults
from mininova.objects import Fault


def test_the_latest_fault_counts(tx):
    """Each instance has its last fault; instances without one are left out."""
    faults.create(tx, "a", Fault(code=500, message="first"))
    second = faults.create(tx, "a", Fault(code=404, message="second", details="more"), host="host-1")
    other = faults.create(tx, "b", Fault(code=500, message="other"))
    assert faults.latest(tx, ["a", "b", "c"]) == {"a": second, "b": other}
    assert faults.latest(tx, ["a"]) == {"a": second}


def test_no_instances_have_no_faults(tx):
    """A query for no instances gives no faults."""
    assert faults.latest(tx, []) == {}


def test_a_fault_has_a_moment(tx):
    """It is that of the failure, if known, or now."""
    fault = faults.create(tx, "a", Fault(code=500, message="late"))
    assert fault.created_at is not None
    assert faults.create(tx, "a", fault).created_at == fault.created_at


def test_a_long_message_is_cut(tx):
    """A message is cut to the column's length; the details are not."""
    faults.create(tx, "a", Fault(code=500, message="m" * 300, details="d" * 300))
    fault = faults.latest(tx, ["a"])["a"]
    assert (fault.message, fault.details) == ("m" * 255, "d" * 300)
