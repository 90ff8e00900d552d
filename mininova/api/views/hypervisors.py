"""How a hypervisor looks.

Its id is a number until 2.52 and a uuid from 2.53 on; its room is shown until 2.87.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from mininova.api.request import ComputeRequest
from mininova.api.views.servers import instance_name
from mininova.api.views.services import COMPUTE, is_up
from mininova.db import instances, services
from mininova.db.session import Connection
from mininova.objects import ComputeNode, Instance, Service

Json = dict[str, Any]


class Views:
    """Shows hypervisors; reads their services, and the servers on them, in one query each.

    :param with_servers: whether to show the servers
    """

    def __init__(
        self, request: ComputeRequest, tx: Connection, nodes: Iterable[ComputeNode], with_servers: bool
    ) -> None:
        self._request, self._version = request, request.api_version
        self._services = {it.host: it for it in services.search(tx) if it.topic == COMPUTE}
        self._servers: dict[str, list[Instance]] | None = None
        if with_servers:
            self._servers = instances.list_by_hosts(tx, [node.host for node in nodes])

    def summary(self, node: ComputeNode) -> Json:
        """Show what a list without details has."""
        service = self._services.get(node.host)
        shown: Json = {
            "id": node.uuid if self._version >= (2, 53) else node.id,
            "hypervisor_hostname": node.hypervisor_hostname,
            "state": "up" if service is not None and is_up(self._request, service) else "down",
            "status": "disabled" if service is None or service.disabled else "enabled",
        }
        if self._servers is not None:
            on_it = [{"name": instance_name(it), "uuid": it.uuid} for it in self._servers[node.host]]
            # From 2.75 on the list is there even if it is empty.
            if on_it or self._version >= (2, 75):
                shown["servers"] = on_it
        return shown

    def detail(self, node: ComputeNode) -> Json:
        """Show all."""
        shown = self.summary(node) | {
            "hypervisor_type": node.hypervisor_type,
            "hypervisor_version": node.hypervisor_version,
            "host_ip": node.host_ip,
            "service": self._service(node, self._services.get(node.host)),
        }
        if self._version >= (2, 88):
            return shown | {"uptime": None}
        cpu_info = node.cpu_info if self._version >= (2, 28) else msgspec.json.encode(node.cpu_info).decode()
        return shown | room_of(node) | {"cpu_info": cpu_info}

    def _service(self, node: ComputeNode, service: Service | None) -> Json:
        if service is None:
            return {"id": "" if self._version >= (2, 53) else 0, "host": node.host, "disabled_reason": None}
        id = service.uuid if self._version >= (2, 53) else service.id
        return {"id": id, "host": service.host, "disabled_reason": service.disabled_reason}


def room_of(node: ComputeNode) -> dict[str, Any]:
    """Show the room of a hypervisor, and how much of it is claimed."""
    free_gb = node.local_gb - node.local_gb_used
    return {
        "vcpus": node.vcpus,
        "memory_mb": node.memory_mb,
        "local_gb": node.local_gb,
        "vcpus_used": node.vcpus_used,
        "memory_mb_used": node.memory_mb_used,
        "local_gb_used": node.local_gb_used,
        "free_ram_mb": node.memory_mb - node.memory_mb_used,
        "free_disk_gb": free_gb,
        "current_workload": 0,
        "running_vms": node.running_vms,
        "disk_available_least": free_gb,
    }
