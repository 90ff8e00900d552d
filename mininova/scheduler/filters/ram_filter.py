"""RamFilter: is there memory? (nova: scheduler/filters/ram_filter.py, until Train)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class RamFilter(BaseHostFilter):
    """Pass hosts that may still promise the flavor's memory.

    Memory may be promised twice over, but never to one instance: it must fit the machine as it is.
    """

    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the memory is there."""
        wanted = request_spec.flavor.memory_mb
        return wanted <= host_state.node.memory_mb and wanted <= host_state.free_memory_mb
