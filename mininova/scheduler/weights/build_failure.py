"""BuildFailureWeigher: the fewer builds have failed on a host lately the better.

Source: nova, ``scheduler/weights/compute.py``.
"""

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher

# From here on a host does not get worse: else one that says it had very many would make all others look alike.
MOST_FAILED_BUILDS = 100


class BuildFailureWeigher(BaseHostWeigher):
    """Avoid hosts on which builds have failed since the last one that ended well; it outweighs all others."""

    option = "build_failure_weight_multiplier"

    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Count the failures, each against the host."""
        return -min(host_state.node.failed_builds, MOST_FAILED_BUILDS)
