"""CPUWeigher: the more free vCPUs the better (nova: scheduler/weights/cpu.py)."""

from typing import Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher


class CPUWeigher(BaseHostWeigher):
    """Prefer hosts with free vCPUs, which spreads instances; a negative multiplier stacks them."""

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one with ``[filter_scheduler] cpu_weight_multiplier``."""
        return cls(conf.filter_scheduler.cpu_weight_multiplier)

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell the free vCPUs."""
        return host_state.free_vcpus
