"""The password that a guest made up, encrypted for its owner's key, over HTTP.

A guest tells it through the metadata service, which is not here: so none ever does.
"""

from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.wsgi import Reply


def index(request: ComputeRequest, server_id: str) -> dict[str, str]:
    """Show the password, which is empty while the guest has told none."""
    find(request, server_id, "os-server-password:show")
    return {"password": ""}


def clear(request: ComputeRequest, server_id: str) -> Reply:
    """Forget the password."""
    find(request, server_id, "os-server-password:clear")
    return Reply(204)
