"""AllHostsFilter (nova: scheduler/filters/all_hosts_filter.py)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class AllHostsFilter(BaseHostFilter):
    """Pass every host."""

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Pass it."""
        return True
