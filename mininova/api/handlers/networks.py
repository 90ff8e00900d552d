"""The one flat network over HTTP (``/os-networks`` and ``/os-tenant-networks``, until 2.35), and the check of the
networks that servers ask for.

Its id follows from its name (objects/network.py), so that every process gives the same one.
"""

from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.views.networks import show_network, show_tenant_network
from mininova.objects.network import network_id


def wanted_networks(server: dict[str, Any]) -> str:
    """Say whether new servers get an address, ``auto``, or none, ``none``."""
    wanted = server.get("networks", "auto")
    return wanted if isinstance(wanted, str) else "auto"


def check_networks(request: ComputeRequest, server: dict[str, Any]) -> None:
    """Refuse networks that new servers cannot have.

    :raises errors.InvalidInput: when the body asks for another network, for several, for a port or for an address
    :raises errors.NotAllowed: when the caller may not choose networks
    """
    wanted = server.get("networks")
    if not wanted or isinstance(wanted, str):
        return
    request.require("servers:create:attach_network")
    if len(wanted) > 1:
        raise errors.InvalidInput("There is one network, so a server has one address at most.")
    for network in wanted:
        if network.get("port"):
            raise errors.InvalidInput(f"Port {network['port']} could not be found.")
        if network.get("fixed_ip"):
            raise errors.InvalidInput("Addresses are chosen by the network; fixed_ip cannot be asked for.")
        if network.get("uuid") != network_id(request.cloud.conf.network.label):
            raise errors.InvalidInput(f"Network {network.get('uuid')} could not be found.")


def index(request: ComputeRequest) -> dict[str, Any]:
    """List the networks: there is one."""
    request.require("os-networks:list")
    return {"networks": [show_network(request.cloud.conf)]}


def show(request: ComputeRequest, id: str) -> dict[str, Any]:
    """Show the network."""
    request.require("os-networks:show")
    _require_the_one(request, id)
    return {"network": show_network(request.cloud.conf)}


def tenant_index(request: ComputeRequest) -> dict[str, Any]:
    """List the networks that the project may use: there is one."""
    request.require("os-tenant-networks:list")
    return {"networks": [show_tenant_network(request.cloud.conf)]}


def tenant_show(request: ComputeRequest, id: str) -> dict[str, Any]:
    """Show it."""
    request.require("os-tenant-networks:show")
    _require_the_one(request, id)
    return {"network": show_tenant_network(request.cloud.conf)}


def _require_the_one(request: ComputeRequest, id: str) -> None:
    if id != network_id(request.cloud.conf.network.label):
        raise errors.NotFound("Network not found")
