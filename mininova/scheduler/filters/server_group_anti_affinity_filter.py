"""ServerGroupAntiAffinityFilter: is it away from the group? (nova: scheduler/filters/affinity_filter.py)"""

from mininova.db.server_groups import ANTI_AFFINITY
from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class ServerGroupAntiAffinityFilter(BaseHostFilter):
    """Pass hosts with fewer members of the instance's group than its rules allow, if its policy is anti-affinity."""

    hint = "group"
    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the group's policy allows one more member there."""
        group, members = host_state.neighbours.group, host_state.neighbours.members
        return group is None or group.policy != ANTI_AFFINITY or group.allows(host_state.host, members)
