"""The access list of a private flavor over HTTP: the projects that may use it."""

from typing import Any

from mininova import errors
from mininova.api.other_services import require_project
from mininova.api.request import ComputeRequest
from mininova.api.schemas import flavor_access as schemas
from mininova.api.validation import takes
from mininova.db import flavors
from mininova.db.session import Connection

Json = dict[str, Any]


def index(request: ComputeRequest, flavor_id: str) -> Json:
    """List the projects that may use a flavor."""
    request.require("os-flavor-access")
    with request.cloud.db.read() as tx:
        if flavors.get(tx, flavor_id).is_public:
            raise errors.NotFound("Access list not available for public flavors.")
        return _access(tx, flavor_id)


@takes(body=schemas.ADD_ACCESS)
def add(request: ComputeRequest, id: str) -> Json:
    """Let a project use a flavor."""
    request.require("os-flavor-access:add_tenant_access")
    project_id = request.document["addTenantAccess"]["tenant"]
    require_project(request.cloud.projects, request.context, project_id)
    with request.cloud.db.write() as tx:
        if flavors.get(tx, id).is_public and request.api_version >= (2, 7):
            raise errors.Conflict("Can not add access to a public flavor.")
        if not flavors.grant(tx, id, project_id):
            raise errors.Conflict(f"Flavor access already exists for flavor {id} and project {project_id} combination.")
        return _access(tx, id)


@takes(body=schemas.REMOVE_ACCESS)
def remove(request: ComputeRequest, id: str) -> Json:
    """Let a project use a flavor no longer; a project that was deleted since is taken off the list, too."""
    request.require("os-flavor-access:remove_tenant_access")
    project_id = request.document["removeTenantAccess"]["tenant"]
    with request.cloud.db.write() as tx:
        flavors.get(tx, id)
        if not flavors.revoke(tx, id, project_id):
            raise errors.NotFound(f"Flavor access not found for {id} / {project_id} combination.")
        return _access(tx, id)


def _access(tx: Connection, flavor_id: str) -> Json:
    granted = flavors.projects(tx, flavor_id)
    return {"flavor_access": [{"flavor_id": flavor_id, "tenant_id": project_id} for project_id in granted]}
