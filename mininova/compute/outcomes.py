"""How an operation on a compute host ends when it does not end well: building, powering and deleting share this."""

import traceback

from mininova import errors
from mininova.objects import Fault

# These say that the instance is being deleted, or is deleted already: the operation that meets one clears up and ends.
DELETE_WON = (errors.InstanceBeingDeleted, errors.InstanceNotFound, errors.GuestGone)


def fault_of(error: Exception) -> Fault:
    """Put an error into words for the instance's owner, and its traceback for an administrator.

    An error of ours has a sentence for users.  Of any other the owner reads the name only, for it may quote a secret.
    """
    known = isinstance(error, errors.MininovaError)
    return Fault(
        code=error.http_status if isinstance(error, errors.MininovaError) else 500,
        message=str(error) if known else f"Unexpected error of the compute host: {type(error).__name__}",
        details="".join(traceback.format_exception(error)),
    )
