"""A service that is alive, and the room that a compute node offers."""

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from mininova.objects.base import Count, Versioned
from mininova.rpc.versions import since

#: How much of a kind of room may be promised for each that is there; the least is that of a compute's settings.
Ratio = Annotated[float, Meta(ge=0.01, le=2**31 - 1)]


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
    :param instances_used: how many instances have such a promise
    :param failed_builds: how many builds have failed there since the last one that ended well
    """

    version: ClassVar[str] = "1.1"

    host: str
    hypervisor_hostname: str
    uuid: str = ""
    id: Count = 0
    hypervisor_type: str = "fake"
    hypervisor_version: Count = 1000
    vcpus: Count = 0
    memory_mb: Count = 0
    local_gb: Count = 0
    vcpus_used: Count = 0
    memory_mb_used: Count = 0
    local_gb_used: Count = 0
    instances_used: Annotated[Count, since("1.1")] = 0
    cpu_allocation_ratio: Ratio = 16.0
    ram_allocation_ratio: Ratio = 1.5
    disk_allocation_ratio: Ratio = 1.0
    host_ip: str = "127.0.0.1"
    cpu_info: dict[str, str | list[str]] = {}
    image_properties: dict[str, list[str]] = {}
    running_vms: Count = 0
    failed_builds: Annotated[Count, since("1.1")] = 0
    updated_at: datetime | None = None
