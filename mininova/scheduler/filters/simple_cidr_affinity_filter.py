"""SimpleCIDRAffinityFilter: is its address near another? (nova: scheduler/filters/affinity_filter.py)"""

from ipaddress import ip_address, ip_network

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class SimpleCIDRAffinityFilter(BaseHostFilter):
    """Pass hosts whose address is in the network of the hint ``build_near_host_ip``.

    The hint ``cidr`` says how long the network's prefix is, as ``/24``, which is also what holds without it.
    """

    hint = "build_near_host_ip"

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host is in the network; none is in one that is not to be read."""
        hints = request_spec.scheduler_hints
        near = hints.get("build_near_host_ip")
        if not near:
            return True
        try:
            return ip_address(host_state.node.host_ip) in ip_network(near + hints.get("cidr", "/24"), strict=False)
        except ValueError:
            return False
