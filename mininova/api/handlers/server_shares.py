"""Shared file systems of a server over HTTP (2.97): there is no Manila, so no server has one and none can get one.

The answers are those of a Nova whose hosts cannot attach shares.
"""

from typing import Any

from mininova import errors, states
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_shares as schemas
from mininova.api.validation import takes
from mininova.objects import Instance

Json = dict[str, Any]


@takes(query=schemas.NO_PARAMETERS)
def index(request: ComputeRequest, server_id: str) -> Json:
    """List a server's shares: there is none."""
    find(request, server_id, "os-server-shares:index")
    return {"shares": []}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest, server_id: str) -> Json:
    """Refuse to attach a share: to a server that is not stopped, since it is not, and to a stopped one, too."""
    _require_state(find(request, server_id, "os-server-shares:create"), "create share", states.STOPPED)
    raise errors.SharesNotConfigured()


@takes(query=schemas.NO_PARAMETERS)
def show(request: ComputeRequest, server_id: str, id: str) -> Json:
    """Find no share."""
    find(request, server_id, "os-server-shares:show")
    raise errors.ShareNotFound(share_id=id)


def delete(request: ComputeRequest, server_id: str, id: str) -> Json:
    """Find no share to detach."""
    instance = find(request, server_id, "os-server-shares:delete")
    _require_state(instance, "delete share", states.STOPPED, states.ERROR)
    raise errors.ShareNotFound(share_id=id)


def _require_state(instance: Instance, method: str, *vm_states: str) -> None:
    if instance.vm_state not in vm_states:
        raise errors.InstanceInvalidState(
            instance_uuid=instance.uuid, method=method, attr="vm_state", state=instance.vm_state
        )
