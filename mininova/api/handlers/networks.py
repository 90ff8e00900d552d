"""The one flat network over HTTP (``/os-networks`` and ``/os-tenant-networks``, until 2.35), and the check of the
networks that servers ask for.

Its id follows from its name (objects/network.py), so that every process gives the same one.
"""

from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.views.networks import show_network, show_other_network, show_tenant_network
from mininova.db import networks
from mininova.objects.network import network_id

Json = dict[str, Any]


def chosen(request: ComputeRequest, server: Json, count: int) -> list[Json]:
    """Give the network interfaces that new servers ask for; none are asked for where the flat network will do.

    :param count: how many servers
    :raises errors.InvalidInput: when one of them cannot be
    :raises errors.Conflict: when a port is in use, or none is chosen of several networks
    :raises errors.NotAllowed: when the caller may not choose networks
    """
    wanted, ports = server.get("networks"), request.cloud.network.ports
    if wanted == networks.NONE:
        return []
    if not wanted or isinstance(wanted, str):
        ports.require_one_network(request.context)
        return []
    request.require("servers:create:attach_network")
    flat = network_id(request.cloud.conf.network.label)
    if [{name: value for name, value in nic.items() if value} for nic in wanted] == [{"uuid": flat}]:
        return []
    ports.check(request.context, wanted, count)
    return list(wanted)


def index(request: ComputeRequest) -> Json:
    """List the networks that the caller sees."""
    request.require("os-networks:list")
    return {"networks": [show_network(request.cloud.conf), *map(show_other_network, _others(request))]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show one."""
    request.require("os-networks:show")
    return {"network": _among(index(request), id)}


def tenant_index(request: ComputeRequest) -> Json:
    """List the networks that the project may use."""
    request.require("os-tenant-networks:list")
    own = [network for network in _others(request) if network["project_id"] == request.context.project_id]
    flat = network_id(request.cloud.conf.network.label), request.cloud.conf.network.label
    return {"networks": [show_tenant_network(*each) for each in (flat, *((it["id"], it["name"]) for it in own))]}


def tenant_show(request: ComputeRequest, id: str) -> Json:
    """Show one."""
    request.require("os-tenant-networks:show")
    return {"network": _among(tenant_index(request), id)}


def _others(request: ComputeRequest) -> list[Json]:
    """List the networks beside the flat one."""
    flat = network_id(request.cloud.conf.network.label)
    return [network for network in request.cloud.network.ports.networks(request.context) if network["id"] != flat]


def _among(listed: Json, id: str) -> Json:
    for network in listed["networks"]:
        if network["id"] == id:
            found: Json = network
            return found
    raise errors.NotFound("Network not found")
