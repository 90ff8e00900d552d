"""How something that is done to an instance can end otherwise than well.

Building, powering and deleting share these words.
"""

import traceback

from mininova import errors
from mininova.objects import Fault

# What tells that the instance is being deleted, or is deleted already: whoever meets it clears up and is content.
DELETE_WON = (errors.InstanceBeingDeleted, errors.InstanceNotFound, errors.GuestGone)


def fault_of(error: Exception) -> Fault:
    """Put an error into words for the instance's owner, and its traceback for an administrator.

    An error of ours speaks for itself; of another only the name is told, for it may quote what is nobody's business.
    """
    known = isinstance(error, errors.MininovaError)
    return Fault(
        code=error.http_status if isinstance(error, errors.MininovaError) else 500,
        message=str(error) if known else f"Unexpected error of the compute host: {type(error).__name__}",
        details="".join(traceback.format_exception(error)),
    )
