"""An error becomes a fault that its owner may read."""

from mininova import errors
from mininova.compute.outcomes import fault_of


def test_own_error():
    """An error of mininova keeps its words and its code."""
    fault = fault_of(errors.GuestNotFound(instance_uuid="u", host="host-1"))
    assert (fault.code, fault.message) == (404, "No guest runs for instance u on host-1.")


def test_other_error():
    """Of another error the owner reads the class, and an administrator the traceback."""
    try:
        raise KeyError("password")
    except KeyError as error:
        fault = fault_of(error)
    assert (fault.code, fault.message) == (500, "Unexpected error of the compute host: KeyError")
    assert "test_outcomes.py" in fault.details
