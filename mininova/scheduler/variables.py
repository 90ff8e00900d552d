"""What a query or an extra spec may ask of a host, by the names that Nova's hosts have."""

from collections.abc import Callable, Mapping
from typing import Any

from mininova.scheduler.host_state import HostState

#: name → what of a host it is
VARIABLES: Mapping[str, Callable[[HostState], Any]] = {
    "host": lambda it: it.host,
    "nodename": lambda it: it.node.hypervisor_hostname,
    "hypervisor_hostname": lambda it: it.node.hypervisor_hostname,
    "hypervisor_type": lambda it: it.node.hypervisor_type,
    "hypervisor_version": lambda it: it.node.hypervisor_version,
    "host_ip": lambda it: it.node.host_ip,
    "cpu_info": lambda it: it.node.cpu_info,
    "vcpus_total": lambda it: it.node.vcpus,
    "vcpus_used": lambda it: it.vcpus_used,
    "total_usable_ram_mb": lambda it: it.node.memory_mb,
    "free_ram_mb": lambda it: it.node.memory_mb - it.memory_mb_used,
    "total_usable_disk_gb": lambda it: it.node.local_gb,
    "free_disk_mb": lambda it: (it.node.local_gb - it.local_gb_used) * 1024,
    "disk_mb_used": lambda it: it.local_gb_used * 1024,
    "num_instances": lambda it: it.num_instances,
    "num_io_ops": lambda it: it.num_io_ops,
    "failed_builds": lambda it: it.node.failed_builds,
    "cpu_allocation_ratio": lambda it: it.node.cpu_allocation_ratio,
    "ram_allocation_ratio": lambda it: it.node.ram_allocation_ratio,
    "disk_allocation_ratio": lambda it: it.node.disk_allocation_ratio,
}
