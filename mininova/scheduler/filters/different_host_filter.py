"""DifferentHostFilter: is it away from the others? (nova: scheduler/filters/affinity_filter.py)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState
from mininova.scheduler.neighbours import DIFFERENT_HOST, named_in


class DifferentHostFilter(BaseHostFilter):
    """Pass hosts that have none of the instances which the hint ``different_host`` names."""

    hint = DIFFERENT_HOST

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether none of them is there."""
        named = named_in(request_spec, DIFFERENT_HOST)
        return all(host_state.neighbours.hosts.get(uuid) != host_state.host for uuid in named)
