"""CPUWeigher: the more free vCPUs the better (nova: scheduler/weights/cpu.py)."""

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher


class CPUWeigher(BaseHostWeigher):
    """Prefer hosts with free vCPUs, which spreads instances; a negative multiplier stacks them."""

    option = "cpu_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell the free vCPUs."""
        return host_state.free_vcpus
