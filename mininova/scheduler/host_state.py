"""A compute host as the scheduler sees it during one request."""

from dataclasses import dataclass

from mininova.objects import ComputeNode, Flavor, Service
from mininova.scheduler.neighbours import NOBODY, Neighbours


@dataclass(slots=True, eq=False)
class HostState:
    """What a host offers, what the database says is used of it, and what this request has taken so far.

    Each request has its own, which changes while instances are placed.  Only the claim decides whether there is room.

    :param is_up: whether its service has sent a heartbeat lately and is not forced down
    :param neighbours: where the instances are that the request speaks of; all its hosts share them
    """

    node: ComputeNode
    service: Service
    is_up: bool
    neighbours: Neighbours = NOBODY
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0

    def __post_init__(self) -> None:
        self.vcpus_used = self.node.vcpus_used
        self.memory_mb_used = self.node.memory_mb_used
        self.local_gb_used = self.node.local_gb_used

    @property
    def host(self) -> str:
        """The name of the host."""
        return self.node.host

    @property
    def free_vcpus(self) -> float:
        """The vCPUs that may still be promised."""
        return self.node.vcpus * self.node.cpu_allocation_ratio - self.vcpus_used

    @property
    def free_memory_mb(self) -> float:
        """The MiB of memory that may still be promised."""
        return self.node.memory_mb * self.node.ram_allocation_ratio - self.memory_mb_used

    @property
    def free_disk_gb(self) -> float:
        """The GiB of disk that may still be promised."""
        return self.node.local_gb * self.node.disk_allocation_ratio - self.local_gb_used

    def consume(self, flavor: Flavor) -> None:
        """Take the room of one instance, so that the next one sees it taken."""
        self.vcpus_used += flavor.vcpus
        self.memory_mb_used += flavor.memory_mb
        self.local_gb_used += flavor.disk_gb
        if self.neighbours.group is not None:
            self.neighbours.members[self.host] += 1
