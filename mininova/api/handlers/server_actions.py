"""Actions on a server over HTTP: ``POST /servers/{id}/action`` with one key, the action's name.

Each handler finds the server, which checks the policy, and hands over to mininova/api/operations.py.
"""

from collections.abc import Callable
from typing import Any

from mininova import errors, states
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.requirements import require_unlocked
from mininova.api.schemas import server_actions as schemas
from mininova.api.schemas.types import action
from mininova.api.validation import Schemas, takes
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]

ACCEPTED = Reply(202)


def begins(operation: str, rule: str, body: Schemas, summary: str) -> Callable[..., Reply]:
    """Make the handler of an action that begins an operation and says no more.

    :param operation: its name in states.OPERATIONS
    :param rule: that must allow it
    :param summary: what it does to a server, in a sentence
    """

    @takes(body=body)
    def begin(request: ComputeRequest, id: str) -> Reply:
        request.cloud.operations.begin(request.context, operation, find(request, id, rule))
        return ACCEPTED

    begin.__name__, begin.__doc__ = operation, summary
    return begin


start = begins("start", "servers:start", action("os-start"), "Power a server on.")
stop = begins("stop", "servers:stop", action("os-stop"), "Power a server off.")
pause = begins("pause", "os-pause-server:pause", action("pause"), "Halt a server.")
unpause = begins("unpause", "os-pause-server:unpause", action("unpause"), "Let a paused server run on.")
suspend = begins("suspend", "os-suspend-server:suspend", action("suspend"), "Save a server's memory and stop it.")
resume = begins("resume", "os-suspend-server:resume", action("resume"), "Have a suspended server run on.")
unrescue = begins("unrescue", "os-unrescue", action("unrescue"), "Start a rescued server from its own disk again.")
restore = begins("restore", "os-deferred-delete:restore", action("restore"), "Bring a soft-deleted server back.")
# A fake guest has no accounts: the password goes no further than this request.
change_password = begins(
    "change_password", "os-admin-password", schemas.CHANGE_PASSWORD, "Change the administrator's password of a server."
)


@takes(body=schemas.REBOOT)
def reboot(request: ComputeRequest, id: str) -> Reply:
    """Reboot a server."""
    operation = {"SOFT": "reboot", "HARD": "hard_reboot"}[request.document["reboot"]["type"].upper()]
    request.cloud.operations.begin(request.context, operation, find(request, id, "servers:reboot"))
    return ACCEPTED


@takes(body=schemas.CRASH_DUMP)
def trigger_crash_dump(request: ComputeRequest, id: str) -> Reply:
    """Have a server's guest dump its memory."""
    request.cloud.questions.trigger_crash_dump(request.context, find(request, id, "servers:trigger_crash_dump"))
    return ACCEPTED


@takes(body=schemas.FORCE_DELETE)
def force_delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a server at once, even where deleted servers can be restored for a while."""
    request.cloud.operations.force_delete(request.context, find(request, id, "os-deferred-delete:force"))
    return ACCEPTED


@takes(body=schemas.RESET_STATE)
def reset_state(request: ComputeRequest, id: str) -> Reply:
    """Overwrite a server's state."""
    instance = find(request, id, "os-admin-actions:reset_state")
    vm_state = {"active": states.ACTIVE, "error": states.ERROR}[request.document["os-resetState"]["state"]]
    request.cloud.operations.reset_state(request.context, instance, vm_state)
    return ACCEPTED


@takes(body=action("injectNetworkInfo"))
def inject_network_info(request: ComputeRequest, id: str) -> Reply:
    """Accept what has no effect, here as with most drivers of Nova: a guest has its network from its host."""
    require_unlocked(request.context, find(request, id, "os-admin-actions:inject_network_info"))
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
        length = None if asked in (None, -1, "-1") else whole(asked)
    except ValueError as reason:
        raise errors.InvalidInput(f"length is no number: {reason}") from reason
    try:
        return {"output": request.cloud.questions.console_output(request.context, instance, length)}
    except errors.GuestNotFound as reason:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid) from reason
