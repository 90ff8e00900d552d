"""ImagePropertiesFilter: can it run the image? (nova: scheduler/filters/image_props_filter.py)"""

from collections.abc import Mapping

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState

# What a host says it can do → how images ask for it, today's name first.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "hw_architecture": ("hw_architecture", "architecture"),
    "hypervisor_type": ("img_hv_type", "hypervisor_type"),
    "vm_mode": ("hw_vm_mode", "vm_mode"),
}
SAME = {"amd64": "x86_64"}


class ImagePropertiesFilter(BaseHostFilter):
    """Pass hosts that have the architecture, the hypervisor and the mode which the image asks for.

    An image that does not say runs anywhere; a host that does not say runs no image that does.
    """

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether the image asks for anything."""
        asked = request_spec.image.properties
        return any(asked.get(name) for names in PROPERTIES.values() for name in names)

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host can do all that the image asks for."""
        asked = request_spec.image.properties
        return all(
            self._is_one_of(asked[name], host_state.node.image_properties.get(offer, []))
            for offer, names in PROPERTIES.items()
            for name in names
            if asked.get(name)
        )

    @staticmethod
    def _is_one_of(wanted: str, offered: list[str]) -> bool:
        wanted = wanted.lower()
        return SAME.get(wanted, wanted) in offered
