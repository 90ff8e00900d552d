"""What must hold of an instance before something is done to it, where mininova.states does not say so."""

from mininova import errors, states
from mininova.context import RequestContext
from mininova.objects import Instance


def require_unlocked(ctxt: RequestContext, instance: Instance) -> None:
    """Refuse to change an instance that is locked, if the caller is no administrator.

    :raises errors.InstanceIsLocked: when it is
    """
    if instance.locked and not ctxt.is_admin:
        raise errors.InstanceIsLocked(instance_uuid=instance.uuid)


def require_at_rest(instance: Instance, method: str) -> None:
    """Refuse to change the metadata or tags of an instance that is being built, is in ERROR, or is deleted.

    :param method: the operation, in the words of the answer
    :raises errors.InstanceInvalidState: when it is
    """
    if instance.vm_state not in (states.ACTIVE, states.STOPPED, states.PAUSED, states.SUSPENDED):
        raise errors.InstanceInvalidState(
            instance_uuid=instance.uuid, method=method, attr="vm_state", state=instance.vm_state
        )


def host_of(instance: Instance) -> str:
    """Name the host of an instance.

    :raises errors.InstanceNotReady: when it has none yet
    """
    if instance.host is None:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid)
    return instance.host
