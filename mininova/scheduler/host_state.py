"""A compute host as filters and weighers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mininova.objects import ComputeNode, Flavor, Service
from mininova.scheduler.neighbours import NOBODY, Neighbours


@dataclass(slots=True, eq=False)
class HostState:
    """What a host offers, what the database says is used of it, and what the request has taken so far.

    Requests share it, and one that takes room has a copy of its own.  Only the claim decides whether there is room.

    :param is_up: whether its service has sent a heartbeat lately and is not forced down
    :param neighbours: where the instances are that the request speaks of; all its hosts share them
    :param aggregate_metadata: key → the values that the host's aggregates have for it, separated at commas
    :param taken: how many instances of the request it was chosen for
    :ivar free_vcpus: the vCPUs that may still be promised; likewise the MiB of memory and the GiB of disk
    """

    node: ComputeNode
    service: Service
    is_up: bool
    neighbours: Neighbours = NOBODY
    aggregate_metadata: Mapping[str, frozenset[str]] = field(default_factory=dict)
    taken: int = 0
    host: str = field(init=False)
    vcpus_used: int = field(init=False)
    memory_mb_used: int = field(init=False)
    local_gb_used: int = field(init=False)
    free_vcpus: float = field(init=False)
    free_memory_mb: float = field(init=False)
    free_disk_gb: float = field(init=False)

    def __post_init__(self) -> None:
        node, self.host = self.node, self.node.host
        self._use(node.vcpus_used, node.memory_mb_used, node.local_gb_used)

    @property
    def num_instances(self) -> int:
        """How many instances have room there."""
        return self.node.instances_used + self.taken

    @property
    def num_io_ops(self) -> int:
        """How many of them are at work; 0 for a request that does not ask."""
        return self.neighbours.at_work.get(self.host, 0) + self.taken

    def copy(self, neighbours: Neighbours | None = None) -> "HostState":
        """Make a copy for a request alone, and for its neighbours if they are said."""
        near, said = neighbours or self.neighbours, self.aggregate_metadata
        made = HostState(self.node, self.service, self.is_up, near, said, self.taken)
        made._use(self.vcpus_used, self.memory_mb_used, self.local_gb_used)
        return made

    def consume(self, flavor: Flavor) -> None:
        """Take the room of one instance, so that the next one sees it taken."""
        self._use(
            self.vcpus_used + flavor.vcpus, self.memory_mb_used + flavor.memory_mb, self.local_gb_used + flavor.disk_gb
        )
        self.taken += 1
        if self.neighbours.group is not None:
            self.neighbours.members[self.host] += 1

    def _use(self, vcpus: int, memory_mb: int, disk_gb: int) -> None:
        node = self.node
        self.vcpus_used, self.memory_mb_used, self.local_gb_used = vcpus, memory_mb, disk_gb
        self.free_vcpus = node.vcpus * node.cpu_allocation_ratio - vcpus
        self.free_memory_mb = node.memory_mb * node.ram_allocation_ratio - memory_mb
        self.free_disk_gb = node.local_gb * node.disk_allocation_ratio - disk_gb
