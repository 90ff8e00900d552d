"""What a weigher is (nova: scheduler/weights/__init__.py, weights.py)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState


class BaseHostWeigher(ABC):
    """Say how good a host is for a request.

    :param multiplier: how much this counts beside other weighers; below nought it turns good into bad
    """

    def __init__(self, multiplier: float) -> None:
        self.multiplier = multiplier

    @abstractmethod
    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell how good the host is, in any unit: more is better."""

    def weigh_all(self, host_states: Sequence[HostState], request_spec: RequestSpec) -> list[float]:
        """Weigh hosts against each other: the best has the multiplier, the worst nought; equals have nought."""
        raw = [self.weigh(host_state, request_spec) for host_state in host_states]
        low, high = min(raw), max(raw)
        if low == high:
            return [0.0] * len(raw)
        scale = self.multiplier / (high - low)
        return [(weight - low) * scale for weight in raw]
