"""RetryFilter: was it tried already? (nova: scheduler/filters/retry_filter.py, until Ussuri)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class RetryFilter(BaseHostFilter):
    """Pass hosts on which building the instance has not failed yet."""

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether any was tried."""
        return bool(request_spec.retry.hosts)

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host is still untried."""
        return host_state.host not in request_spec.retry.hosts
