"""ComputeFilter: is the host up? (nova: scheduler/filters/compute_filter.py)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class ComputeFilter(BaseHostFilter):
    """Pass hosts whose compute service is enabled and alive."""

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the service takes work and was heard of lately."""
        return host_state.is_up and not host_state.service.disabled
