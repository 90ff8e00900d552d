"""SameHostFilter: is it where the others are? (nova: scheduler/filters/affinity_filter.py)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState
from mininova.scheduler.neighbours import SAME_HOST, named_in


class SameHostFilter(BaseHostFilter):
    """Pass hosts that have one of the instances which the hint ``same_host`` names."""

    hint = SAME_HOST

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether one of them is there, or none was named."""
        named = named_in(request_spec, SAME_HOST)
        return not named or any(host_state.neighbours.hosts.get(uuid) == host_state.host for uuid in named)
