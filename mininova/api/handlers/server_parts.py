"""What can be seen of one server over HTTP beside itself: addresses, diagnostics, topology."""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.views.servers import addresses_of

Json = dict[str, Any]

# What 2.48 and later show of diagnostics; the driver contract has a little more, for the older form.
STANDARD = (
    "state", "driver", "hypervisor", "hypervisor_os", "uptime", "config_drive", "num_cpus", "num_nics", "num_disks",
    "memory_details", "cpu_details", "disk_details", "nic_details",
)  # fmt: skip
DISK_WORDS = {
    "read": "read_bytes", "read_req": "read_requests", "write": "write_bytes", "write_req": "write_requests",
    "errors": "errors_count",
}  # fmt: skip
NIC_WORDS = {
    f"{way}{suffix}": f"{way}_{word}"
    for way in ("rx", "tx")
    for suffix, word in (("", "octets"), ("_packets", "packets"), ("_errors", "errors"), ("_drop", "drop"))
}


def addresses(request: ComputeRequest, server_id: str) -> Json:
    """List its addresses by network."""
    return {"addresses": addresses_of(find(request, server_id, "ips:index"), extended=False)}


def addresses_on(request: ComputeRequest, server_id: str, network: str) -> Json:
    """List its addresses on one network."""
    found = addresses_of(find(request, server_id, "ips:show"), extended=False)
    if network not in found:
        raise errors.NotFound("Instance is not a member of specified network")
    return {network: found[network]}


def diagnostics(request: ComputeRequest, server_id: str) -> Json:
    """Show its counters, as its host reads them now."""
    instance = find(request, server_id, "os-server-diagnostics")
    try:
        read = request.cloud.operations.diagnostics(request.context, instance)
    except errors.GuestNotFound as reason:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid) from reason
    return {name: read[name] for name in STANDARD} if request.api_version >= (2, 48) else _old_form(read)


def topology(request: ComputeRequest, server_id: str) -> Json:
    """Show its NUMA nodes: no guest has any."""
    find(request, server_id, "compute:server:topology:index")
    return {"nodes": [], "pagesize_kb": None}


def _old_form(read: Json) -> Json:
    """Show counters as drivers did before 2.48: one word each, made of the device and what is counted."""
    shown: Json = {f"cpu{cpu['id']}_time": cpu["time"] for cpu in read["cpu_details"]}
    shown["memory"] = read["memory_details"]["maximum"] * 1024
    for name, disk in zip(read["disk_names"], read["disk_details"], strict=False):
        shown |= {f"{name}_{old}": disk[new] for old, new in DISK_WORDS.items()}
    for name, nic in zip(read["nic_names"], read["nic_details"], strict=False):
        shown |= {f"{name}_{old}": nic[new] for old, new in NIC_WORDS.items()}
    return shown
