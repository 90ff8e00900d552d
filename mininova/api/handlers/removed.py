"""Operations that Nova removed: a client that still uses one gets 410 and not 404 (nova: wsgi.removed)."""

from mininova import errors
from mininova.api.request import ComputeRequest

# path → its methods
PATHS = {
    "/os-agents": "GET POST",
    "/os-agents/<id>": "PUT DELETE",
    "/os-cells": "GET POST",
    "/os-cells/capacities": "GET",
    "/os-cells/detail": "GET",
    "/os-cells/info": "GET",
    "/os-cells/sync_instances": "POST",
    "/os-cells/<id>": "GET PUT DELETE",
    "/os-cells/<id>/capacities": "GET",
    "/os-certificates": "POST",
    "/os-certificates/<id>": "GET",
    "/os-cloudpipe": "GET POST",
    "/os-cloudpipe/<id>": "PUT",
    "/os-fixed-ips/<id>": "GET",
    "/os-floating-ip-dns": "GET",
    "/os-floating-ip-dns/<id>": "PUT DELETE",
    "/os-floating-ip-dns/<domain_id>/entries/<id>": "GET PUT DELETE",
    "/os-floating-ips-bulk": "GET POST",
    "/os-floating-ips-bulk/<id>": "GET PUT",
    "/os-fping": "GET",
    "/os-fping/<id>": "GET",
    "/os-networks": "POST",
    "/os-networks/add": "POST",
    "/os-networks/<id>": "DELETE",
    "/os-security-group-default-rules": "GET POST",
    "/os-security-group-default-rules/<id>": "GET DELETE",
    "/os-tenant-networks": "POST",
    "/os-tenant-networks/<id>": "DELETE",
    "/servers/<server_id>/consoles": "GET POST",
    "/servers/<server_id>/consoles/<id>": "GET DELETE",
    "/servers/<server_id>/os-virtual-interfaces": "GET",
}
# path → the names of its actions
ACTIONS = {
    "/os-fixed-ips/<id>/action": ("reserve", "unreserve"),
    "/os-networks/<id>/action": ("disassociate", "disassociate_host", "disassociate_project", "associate_host"),
    "/servers/<id>/action": ("resetNetwork",),
}


def gone(request: ComputeRequest, **variables: str) -> None:
    """Answer 410.

    :raises errors.Gone: always
    """
    raise errors.Gone()
