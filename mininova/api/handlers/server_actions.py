"""Actions on a server over HTTP: ``POST /servers/{id}/action`` with one key, the action's name.

Each handler finds the server, which checks the policy, and hands over to mininova/api/operations.py.
"""

from typing import Any

from mininova import errors, states
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_actions as schemas
from mininova.api.validation import takes
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]

ACCEPTED = Reply(202)


@takes(body=schemas.START)
def start(request: ComputeRequest, id: str) -> Reply:
    """Power a server on."""
    request.cloud.operations.start(request.context, find(request, id, "servers:start"))
    return ACCEPTED


@takes(body=schemas.STOP)
def stop(request: ComputeRequest, id: str) -> Reply:
    """Power a server off."""
    request.cloud.operations.stop(request.context, find(request, id, "servers:stop"))
    return ACCEPTED


@takes(body=schemas.REBOOT)
def reboot(request: ComputeRequest, id: str) -> Reply:
    """Reboot a server."""
    reboot_type = request.document["reboot"]["type"].upper()
    request.cloud.operations.reboot(request.context, find(request, id, "servers:reboot"), reboot_type)
    return ACCEPTED


@takes(body=schemas.FORCE_DELETE)
def force_delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a server at once, as every delete here does."""
    request.cloud.operations.delete(request.context, find(request, id, "os-deferred-delete:force"))
    return ACCEPTED


@takes(body=schemas.RESET_STATE)
def reset_state(request: ComputeRequest, id: str) -> Reply:
    """Overwrite a server's state."""
    instance = find(request, id, "os-admin-actions:reset_state")
    vm_state = {"active": states.ACTIVE, "error": states.ERROR}[request.document["os-resetState"]["state"]]
    request.cloud.operations.reset_state(request.context, instance, vm_state)
    return ACCEPTED


@takes(body=schemas.LOCK)
def lock(request: ComputeRequest, id: str) -> Reply:
    """Lock a server, so that only administrators can change it."""
    instance, said = find(request, id, "os-lock-server:lock"), request.document["lock"]
    reason = said.get("locked_reason") if isinstance(said, dict) and request.api_version >= (2, 73) else None
    request.cloud.operations.lock(request.context, instance, reason)
    return ACCEPTED


@takes(body=schemas.UNLOCK)
def unlock(request: ComputeRequest, id: str) -> Reply:
    """Unlock a server; only administrators unlock what an administrator locked."""
    instance = find(request, id, "os-lock-server:unlock")
    if instance.locked_by == "admin":
        request.require("os-lock-server:unlock:unlock_override", project_id=instance.project_id)
    request.cloud.operations.unlock(request.context, instance)
    return ACCEPTED


@takes(body=schemas.CONSOLE_OUTPUT)
def console_output(request: ComputeRequest, id: str) -> Json:
    """Show the last lines of a server's console, or all of them."""
    instance, asked = find(request, id, "os-console-output"), request.document["os-getConsoleOutput"].get("length")
    try:
        length = None if asked in (None, -1, "-1") else whole(str(asked))
    except ValueError as reason:
        raise errors.InvalidInput(f"length is no number: {reason}") from reason
    try:
        return {"output": request.cloud.operations.console_output(request.context, instance, length)}
    except errors.GuestNotFound as reason:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid) from reason
