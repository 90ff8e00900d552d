"""RAMWeigher: the more free memory the better (nova: scheduler/weights/ram.py)."""

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher


class RAMWeigher(BaseHostWeigher):
    """Prefer hosts with free memory, which spreads instances; a negative multiplier stacks them."""

    option = "ram_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell the free memory."""
        return host_state.free_memory_mb
