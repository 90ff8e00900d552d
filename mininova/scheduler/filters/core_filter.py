"""CoreFilter: are there vCPUs? (nova: scheduler/filters/core_filter.py, until Train)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class CoreFilter(BaseHostFilter):
    """Pass hosts that may still promise the flavor's vCPUs.

    A CPU may be promised many times over, but one instance must fit the machine as it is.
    """

    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the vCPUs are there."""
        wanted = request_spec.flavor.vcpus
        return wanted <= host_state.node.vcpus and wanted <= host_state.free_vcpus
