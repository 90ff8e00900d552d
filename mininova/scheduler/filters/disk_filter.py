"""DiskFilter: is there disk? (nova: scheduler/filters/disk_filter.py, until Train)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class DiskFilter(BaseHostFilter):
    """Pass hosts that may still promise the flavor's root disk, second disk and swap."""

    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the disk is there."""
        wanted = request_spec.flavor.disk_gb
        return wanted <= host_state.node.local_gb and wanted <= host_state.free_disk_gb
