"""A server's addresses over HTTP, by network."""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.views.server_addresses import addresses_of

Json = dict[str, Any]


def index(request: ComputeRequest, server_id: str) -> Json:
    """List a server's addresses by network."""
    return {"addresses": addresses_of(find(request, server_id, "ips:index"), extended=False)}


def show(request: ComputeRequest, server_id: str, network: str) -> Json:
    """List a server's addresses on one network."""
    found = addresses_of(find(request, server_id, "ips:show"), extended=False)
    if network not in found:
        raise errors.NotFound("Instance is not a member of specified network")
    return {network: found[network]}
