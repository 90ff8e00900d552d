"""The password that a guest made up, encrypted for its owner's key, over HTTP.

A guest tells it through the metadata service (api/metadata).
"""

from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.db import instances
from mininova.wsgi import Reply


def index(request: ComputeRequest, server_id: str) -> dict[str, str]:
    """Show the password, which is empty while the guest has told none."""
    instance = find(request, server_id, "os-server-password:show")
    with request.cloud.db.read() as tx:
        return {"password": instances.password(tx, instance.uuid)}


def clear(request: ComputeRequest, server_id: str) -> Reply:
    """Forget the password; the guest keeps it, and may tell one again."""
    instance = find(request, server_id, "os-server-password:clear")
    with request.cloud.db.write() as tx:
        instances.clear_password(tx, instance.uuid)
    return Reply(204)
