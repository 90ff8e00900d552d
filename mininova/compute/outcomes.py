"""The errors with which an operation on a compute host ends without a fault: building and powering share them."""

from mininova import errors

# These say that the instance is being deleted, or is deleted already: the operation that meets one clears up and ends.
DELETE_WON = (errors.InstanceBeingDeleted, errors.InstanceNotFound, errors.GuestGone)
