"""The soft policies of server groups: which host a group would rather have (nova: scheduler/weights/affinity.py)."""

from mininova.db.server_groups import SOFT_AFFINITY, SOFT_ANTI_AFFINITY
from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher


class ServerGroupSoftAffinityWeigher(BaseHostWeigher):
    """Prefer hosts with members of the instance's group, if its policy is soft-affinity."""

    hint = "group"
    option = "soft_affinity_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Count the members."""
        return host_state.neighbours.count(host_state.host, SOFT_AFFINITY)


class ServerGroupSoftAntiAffinityWeigher(BaseHostWeigher):
    """Prefer hosts without members of the instance's group, if its policy is soft-anti-affinity."""

    hint = "group"
    option = "soft_anti_affinity_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Count the members, each against the host."""
        return -host_state.neighbours.count(host_state.host, SOFT_ANTI_AFFINITY)
