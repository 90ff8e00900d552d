"""ServerGroupAffinityFilter: is it where the group is? (nova: scheduler/filters/affinity_filter.py)"""

from mininova.db.server_groups import AFFINITY
from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class ServerGroupAffinityFilter(BaseHostFilter):
    """Pass hosts that have members of the instance's group, if its policy is affinity and it has any."""

    hint = "group"
    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the group's policy allows one more member there."""
        group, members = host_state.neighbours.group, host_state.neighbours.members
        return group is None or group.policy != AFFINITY or group.allows(host_state.host, members)
