"""ComputeCapabilitiesFilter: can the host do what the flavor asks? (nova: compute_capabilities_filter.py)"""

from typing import Any

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.filters.extra_specs import match, scoped
from mininova.scheduler.host_state import HostState
from mininova.scheduler.variables import VARIABLES


class ComputeCapabilitiesFilter(BaseHostFilter):
    """Pass hosts that are as the flavor's extra specs ``capabilities:NAME`` ask, or those without any scope.

    ``capabilities:hypervisor_version = >= 2000``; a part of a value is named after another colon, as in
    ``capabilities:cpu_info:arch = x86_64``.  A host that lacks the value passes nothing.
    """

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether there are any."""
        return any(scoped(request_spec, "capabilities"))

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host is as they all ask."""
        return all(_is(host_state, key, asked) for key, asked in scoped(request_spec, "capabilities"))


def _is(host_state: HostState, key: str, asked: str) -> bool:
    name, *parts = key.split(":")
    value: Any = VARIABLES[name](host_state) if name in VARIABLES else None
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return value is not None and match(str(value), asked)
