"""The words that a server's owner reads when an operation failed: chosen here, and nowhere else.

The api, the conductor and a compute make each fault of an error here, and so did Nova (nova: compute/utils.py,
exception_to_dict and _get_fault_details).  An error that is made for owners (errors.py says which) keeps its sentence.
Of any other the owner reads the name of its class: its text may name the database or a file, or quote a secret.  What
it says is in the fault's details, which only administrators see, and in the log of the service that met it.
"""

import traceback
from datetime import UTC, datetime

from mininova import errors
from mininova.objects import Fault

FAILURE = 500  # of a fault with this code, only administrators see the details


def fault_of(error: Exception, doing: str = "") -> Fault:
    """Make the fault of an error.

    :param doing: what could not be done, to begin the sentence
    """
    words = words_of(error)
    code = error.http_status if isinstance(error, errors.MininovaError) and _is_for_owners(error) else FAILURE
    return Fault(
        code=code,
        message=f"{doing}: {words}" if doing else words,
        details="".join(traceback.format_exception(error)) if code == FAILURE else "",
        created_at=datetime.now(UTC),
    )


def words_of(error: Exception) -> str:
    """Give what an owner may read of an error: its sentence, or the name of its class."""
    return str(error) if _is_for_owners(error) else type(error).__name__


def _is_for_owners(error: Exception) -> bool:
    return isinstance(error, errors.MininovaError) and (error.http_status < FAILURE or error.for_owners)
