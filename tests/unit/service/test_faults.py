"""An error becomes a fault that its owner may read."""

import pytest

from mininova import errors, rpc
from mininova.service.faults import fault_of, words_of

ADDRESS = "postgresql+psycopg://db.inside.example/mininova"


def test_an_error_for_owners():
    """It keeps its sentence and its code; an owner sees details of such a code, so there are none."""
    fault = fault_of(errors.GuestNotFound(instance_uuid="u", host="host-1"))
    assert (fault.code, fault.message, fault.details) == (404, "No guest runs for instance u on host-1.", "")


@pytest.mark.parametrize(
    "error",
    [
        KeyError(ADDRESS),
        OSError(2, "No such file", ADDRESS),
        errors.DatabaseAway(f"The database {ADDRESS} cannot be reached"),
        errors.ConfigError(problem=ADDRESS),
        errors.BrokerAdminFailed(command="rabbitmqctl", reason=ADDRESS),
        rpc.BrokerUnreachable(f"{ADDRESS} does not answer"),
        rpc.RemoteError(ADDRESS, code="OperationalError", remote_message=ADDRESS),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_other_error(error):
    """Of another error the owner reads the class, and an administrator what it says, and where it was raised."""
    try:
        raise error
    except Exception as caught:
        fault = fault_of(caught, "It was given up")
    assert (fault.code, fault.message) == (500, f"It was given up: {type(error).__name__}")
    assert ADDRESS in fault.details
    assert "test_faults.py" in fault.details


@pytest.mark.parametrize("error", [errors.NoMoreAddresses(network="flat"), errors.NoValidHost(reason="It is full.")])
def test_a_failure_of_ours_that_is_for_owners(error):
    """The cloud's own fault can be one that its owner can act on: it keeps its sentence, and has details."""
    assert words_of(error) == str(error)
    assert fault_of(error).details
