"""Network interfaces of a server over HTTP (``os-interface``)."""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_interfaces as schemas
from mininova.api.validation import takes
from mininova.wsgi import Reply

Json = dict[str, Any]


@takes(query=schemas.QUERY)
def index(request: ComputeRequest, server_id: str) -> Json:
    """List the interfaces of a server."""
    instance = find(request, server_id, "os-attach-interfaces:list")
    found = request.cloud.network.ports.ports_of(request.context, instance.uuid)
    return {"interfaceAttachments": [_view(request, port) for port in found]}


@takes(query=schemas.QUERY)
def show(request: ComputeRequest, server_id: str, id: str) -> Json:
    """Show one."""
    return _shown(request, find(request, server_id, "os-attach-interfaces:show").uuid, id)


@takes(body=schemas.CREATE)
def create(request: ComputeRequest, server_id: str) -> Json:
    """Attach an interface: of a port, or of a new one in a network."""
    instance = find(request, server_id, "os-attach-interfaces:create")
    said = (request.document or {}).get("interfaceAttachment", {})
    network_id, port_id = said.get("net_id"), said.get("port_id")
    address = next((each["ip_address"] for each in said.get("fixed_ips", ())), None)
    if network_id and port_id:
        raise errors.InvalidInput("Must not input both network_id and port_id")
    if address and not network_id:
        raise errors.InvalidInput("Must input network_id when request IP address")
    wanted = {"uuid": network_id, "port": port_id, "fixed_ip": address, "tag": said.get("tag")}
    try:
        made = request.cloud.interfaces.attach(request.context, instance, wanted)
    except errors.NetworkFull as full:
        raise errors.InvalidInput(str(full)) from full
    return _shown(request, instance.uuid, made)


def delete(request: ComputeRequest, server_id: str, id: str) -> Reply:
    """Detach an interface."""
    instance = find(request, server_id, "os-attach-interfaces:delete")
    request.cloud.interfaces.detach(request.context, instance, id)
    return Reply(202)


# ---- further addresses of one, until 2.43


@takes(body=schemas.ADD_FIXED_IP)
def add_fixed_ip(request: ComputeRequest, id: str) -> Reply:
    """Give a server one more address in a network."""
    instance = find(request, id, "os-multinic:add")
    network_id = str(request.document["addFixedIp"]["networkId"])
    request.cloud.network.ports.add_address(request.context, instance.uuid, network_id)
    return Reply(202)


@takes(body=schemas.REMOVE_FIXED_IP)
def remove_fixed_ip(request: ComputeRequest, id: str) -> Reply:
    """Take an address from a server."""
    instance = find(request, id, "os-multinic:remove")
    request.cloud.network.ports.remove_address(
        request.context, instance.uuid, request.document["removeFixedIp"]["address"]
    )
    return Reply(202)


def _shown(request: ComputeRequest, uuid: str, id: str) -> Json:
    for port in request.cloud.network.ports.ports_of(request.context, uuid):
        if port["id"] == id:
            return {"interfaceAttachment": _view(request, port)}
    raise errors.NotFound(f"Instance {uuid} does not have a port with id {id}")


def _view(request: ComputeRequest, port: Json) -> Json:
    shown = {
        "net_id": port["network_id"],
        "port_id": port["id"],
        "mac_addr": port["mac_address"],
        "port_state": port["status"],
        "fixed_ips": port["fixed_ips"],
    }
    return shown | {"tag": port["tag"]} if request.api_version >= (2, 70) else shown
