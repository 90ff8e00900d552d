"""Weighers of one figure each (nova: scheduler/weights/{disk,io_ops,num_instances,hypervisor_version}.py)."""

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher


class DiskWeigher(BaseHostWeigher):
    """Prefer hosts with free disk, which spreads instances; a negative multiplier stacks them."""

    option = "disk_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell the free disk."""
        return host_state.free_disk_gb


class IoOpsWeigher(BaseHostWeigher):
    """Prefer hosts on which few instances are built, rebuilt, moved or made images of, as long as it is negative."""

    option, needs_io_ops = "io_ops_weight_multiplier", True

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Count them."""
        return host_state.num_io_ops


class NumInstancesWeigher(BaseHostWeigher):
    """Prefer hosts with many instances; with a negative multiplier, those with few."""

    option = "num_instances_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Count them."""
        return host_state.num_instances


class HypervisorVersionWeigher(BaseHostWeigher):
    """Prefer hosts with a newer hypervisor."""

    option = "hypervisor_version_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell the version."""
        return host_state.node.hypervisor_version
