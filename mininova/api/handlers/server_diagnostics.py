"""A server's diagnostics over HTTP: the counters of its guest, which its host reads at that moment."""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.views.server_diagnostics import old_form, standard_form

Json = dict[str, Any]


def index(request: ComputeRequest, server_id: str) -> Json:
    """Show a server's counters, as its host reads them now."""
    instance = find(request, server_id, "os-server-diagnostics")
    try:
        read = request.cloud.questions.diagnostics(request.context, instance)
    except errors.GuestNotFound as reason:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid) from reason
    return standard_form(read) if request.api_version >= (2, 48) else old_form(read)
