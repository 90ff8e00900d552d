"""Hosts over HTTP, for administrators, until 2.42: what services and hypervisors show since then, in an older form.

A host can be disabled here, as a service can.  A hypervisor does not switch its host off or on: 501, as with Nova's
driver for libvirt.
"""

from collections.abc import Callable, Iterable
from typing import Any

from mininova import errors
from mininova.api.handlers.services import listed
from mininova.api.request import ComputeRequest
from mininova.api.schemas import hosts as schemas
from mininova.api.validation import takes
from mininova.db import hosts, instances, services
from mininova.db.session import Connection
from mininova.objects import ComputeNode, Instance, Service

Json = dict[str, Any]


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List the hosts of services that are not disabled."""
    request.require("os-hosts:list")
    zone = request.query.get("zone")
    with request.cloud.db.read() as tx:
        found = [it for it in listed(tx) if not it.disabled and zone in (None, "", it.availability_zone)]
    return {"hosts": [{"host_name": it.host, "service": it.topic, "zone": it.availability_zone} for it in found]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show the room of a host, and who uses how much of it."""
    request.require("os-hosts:show")
    with request.cloud.db.read() as tx:
        node, there = _node_of(tx, id), instances.list_by_host(tx, id)
    uses = {
        "(total)": (node.vcpus, node.memory_mb, node.local_gb),
        "(used_now)": (node.vcpus_used, node.memory_mb_used, node.local_gb_used),
        "(used_max)": _sum(there),
    }
    for project in sorted({it.project_id for it in there}):
        uses[project] = _sum(it for it in there if it.project_id == project)
    return {
        "host": [
            {"resource": {"host": id, "project": project, "cpu": cpu, "memory_mb": memory, "disk_gb": disk}}
            for project, (cpu, memory, disk) in uses.items()
        ]
    }


@takes(body=schemas.UPDATE)
def update(request: ComputeRequest, id: str) -> Json:
    """Let new instances go to a host, or not."""
    request.require("os-hosts:update")
    asked = request.document
    with request.cloud.db.write() as tx:
        service = _get(tx, id)
        if "maintenance_mode" in asked:
            raise errors.NotSupported()
        changed = services.update(tx, service.uuid, disabled=asked["status"].lower() == "disable")
    return {"host": id, "status": "disabled" if changed.disabled else "enabled"}


def _power(action: str, rule: str) -> Callable[..., Json]:
    """Make the handler of an action on a host's power."""

    def refuse(request: ComputeRequest, id: str) -> Json:
        request.require(rule)
        with request.cloud.db.read() as tx:
            _get(tx, id)
        raise errors.NotSupported()

    refuse.__name__, refuse.__doc__ = action.replace(" ", ""), f"Answer 501: the hypervisor does not {action} its host."
    return refuse


startup = _power("start up", "os-hosts:start")
shutdown = _power("shut down", "os-hosts:shutdown")
reboot = _power("reboot", "os-hosts:reboot")


def _get(tx: Connection, host: str) -> Service:
    service = services.compute_on(tx, host)
    if service is None:
        raise errors.ComputeHostNotFound(host=host)
    return service


def _node_of(tx: Connection, host: str) -> ComputeNode:
    nodes = hosts.search(tx, host=host)
    if not nodes:
        raise errors.ComputeHostNotFound(host=host)
    return nodes[0]


def _sum(there: Iterable[Instance]) -> tuple[int, int, int]:
    """Add up the CPUs, the MiB of memory and the GiB of disk that instances may use."""
    sizes = [(it.flavor.vcpus, it.flavor.memory_mb, it.flavor.root_gb + it.flavor.ephemeral_gb) for it in there]
    return sum(it[0] for it in sizes), sum(it[1] for it in sizes), sum(it[2] for it in sizes)
