"""Floating IPs over HTTP: those of a project and their pools, until 2.35, and which one leads to a server, until 2.43.

They are Neutron's, and a pool is a network that leads out.
"""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_interfaces as schemas
from mininova.api.validation import takes
from mininova.objects import Instance
from mininova.wsgi import Reply

Json = dict[str, Any]


def pools(request: ComputeRequest) -> Json:
    """List the pools."""
    request.require("os-floating-ip-pools")
    return {"floating_ip_pools": [{"name": name} for name in _pools(request).values()]}


def index(request: ComputeRequest) -> Json:
    """List the floating IPs of the project."""
    request.require("os-floating-ips:list")
    named = _pools(request)
    return {"floating_ips": [_view(ip, named) for ip in _own(request)]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show one."""
    request.require("os-floating-ips:show")
    return {"floating_ip": _view(_one(request, id), _pools(request))}


@takes(body=schemas.POOL)
def create(request: ComputeRequest) -> Json:
    """Take an address of a pool: of the first one, if none is named."""
    request.require("os-floating-ips:create")
    pool, named = (request.document or {}).get("pool"), _pools(request)
    fitting = [id for id, name in named.items() if pool in (None, "", id, name)]
    if not fitting:
        raise errors.NotFound("Floating IP pool not found.")
    try:
        ip = request.cloud.network.floating_ips.create(request.context, {"floating_network_id": fitting[0]})
    except errors.NetworkFull as full:
        where = f"in pool {pool}" if pool else "available"
        raise errors.NotFound(f"No more floating IPs {where}.") from full
    return {"floating_ip": _view(ip, named)}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Give one back."""
    request.require("os-floating-ips:delete")
    request.cloud.network.floating_ips.delete(request.context, _one(request, id)["id"])
    return Reply(202)


@takes(body=schemas.ADD_FLOATING_IP)
def add(request: ComputeRequest, id: str) -> Reply:
    """Have a floating IP lead to a server."""
    instance = find(request, id, "os-floating-ips:add")
    said = request.document["addFloatingIp"]
    fixed = _fixed_address(instance, said.get("fixed_address"), said["address"])
    (port,) = (
        port
        for port in request.cloud.network.ports.ports_of(request.context, instance.uuid)
        if fixed in (each["ip_address"] for each in port["fixed_ips"])
    )
    ip = _of_address(request, said["address"])
    try:
        request.cloud.network.floating_ips.update(
            request.context, ip["id"], {"port_id": port["id"], "fixed_ip_address": fixed}
        )
    except (errors.NotFound, errors.Conflict) as error:
        raise errors.InvalidInput(
            f"Unable to associate floating IP {said['address']} to fixed IP {fixed} for instance {instance.uuid}. "
            f"Error: {error}"
        ) from error
    return Reply(202)


@takes(body=schemas.REMOVE_FLOATING_IP)
def remove(request: ComputeRequest, id: str) -> Reply:
    """Have a floating IP lead to a server no more."""
    instance, address = find(request, id, "os-floating-ips:remove"), request.document["removeFloatingIp"]["address"]
    ip = _of_address(request, address)
    if (ip["port_details"] or {}).get("device_id") != instance.uuid:
        raise errors.Conflict(f"Floating IP {address} is not associated with instance {instance.uuid}.")
    request.cloud.network.floating_ips.update(request.context, ip["id"], {"port_id": None})
    return Reply(202)


def _fixed_address(instance: Instance, asked: str | None, address: str) -> str:
    """Choose the address of a server that a floating IP is to lead to.

    :param asked: which; None means its first one
    """
    fixed = [ip for ip in instance.addresses if ip.kind == "fixed"]
    if not fixed:
        raise errors.InvalidInput("Instance network is not ready yet")
    if asked is not None:
        if asked not in (ip.address for ip in fixed):
            raise errors.InvalidInput("Specified fixed address not assigned to instance")
        return asked
    for ip in fixed:
        if ip.version_number == 4:
            return ip.address
    raise errors.InvalidInput(
        f"Unable to associate floating IP {address} to any fixed IPs for instance {instance.uuid}. Instance has no "
        "fixed IPv4 addresses to associate."
    )


def _pools(request: ComputeRequest) -> dict[str, str]:
    """Name each pool, by its id."""
    there = request.cloud.network.ports.networks(request.context)
    return {network["id"]: network["name"] or network["id"] for network in there if network["router:external"]}


def _own(request: ComputeRequest) -> list[Json]:
    found = request.cloud.network.floating_ips.search(request.context)
    return [ip for ip in found if ip["project_id"] == request.context.project_id]


def _one(request: ComputeRequest, id: str) -> Json:
    try:
        return request.cloud.network.floating_ips.get(request.context, id)
    except errors.NotFound:
        raise errors.NotFound(f"Floating IP not found for ID {id}") from None


def _of_address(request: ComputeRequest, address: str) -> Json:
    for ip in request.cloud.network.floating_ips.search(request.context):
        if ip["floating_ip_address"] == address:
            return ip
    raise errors.NotFound("floating IP not found")


def _view(ip: Json, pools: dict[str, str]) -> Json:
    return {
        "id": ip["id"],
        "ip": ip["floating_ip_address"],
        "pool": pools.get(ip["floating_network_id"], ip["floating_network_id"]),
        "fixed_ip": ip["fixed_ip_address"],
        "instance_id": (ip["port_details"] or {}).get("device_id") or None,
    }
