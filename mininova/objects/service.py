"""A service that is alive, and the room that a compute node offers."""

from datetime import datetime

from mininova.objects.base import Versioned


class Service(Versioned, frozen=True, kw_only=True):
    """One process of the control plane, as its heartbeats tell.

    :param versions: interface name → the version it speaks, for pins set to ``auto``
    """

    binary: str
    host: str
    topic: str
    uuid: str = ""
    id: int = 0
    availability_zone: str = "internal"
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    report_count: int = 0
    last_seen_up: datetime | None = None
    created_at: datetime | None = None
    versions: dict[str, str] = {}


class ComputeNode(Versioned, frozen=True, kw_only=True):
    """A hypervisor and its room.  The ratios say how much of it may be promised over what is there.

    :param memory_mb: MiB there are
    :param local_gb: GiB of disk there are
    :param memory_mb_used: MiB promised to instances; likewise the other ``…_used``
    """

    host: str
    hypervisor_hostname: str
    uuid: str = ""
    id: int = 0
    hypervisor_type: str = "fake"
    hypervisor_version: int = 1000
    vcpus: int = 0
    memory_mb: int = 0
    local_gb: int = 0
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0
    cpu_allocation_ratio: float = 16.0
    ram_allocation_ratio: float = 1.5
    disk_allocation_ratio: float = 1.0
    host_ip: str = "127.0.0.1"
    cpu_info: dict[str, str | list[str]] = {}
    image_properties: dict[str, list[str]] = {}
    running_vms: int = 0
    updated_at: datetime | None = None
