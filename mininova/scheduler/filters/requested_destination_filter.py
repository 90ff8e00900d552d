"""RequestedDestinationFilter: is it the one that was named?

Nova does this outside its filters (``requested_destination`` in nova: scheduler/host_manager.py).  Here it is
one, so that the fault of a request for a host that cannot be had names it like any other.
"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class RequestedDestinationFilter(BaseHostFilter):
    """Pass the host, and the node, that an administrator asked for by name; every one when none was."""

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether one was named."""
        return (request_spec.requested_host, request_spec.requested_node) != (None, None)

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host is the one, or none was named."""
        return request_spec.requested_host in (None, host_state.host) and request_spec.requested_node in (
            None,
            host_state.node.hypervisor_hostname,
        )
