"""AvailabilityZoneFilter: is it the right place? (nova: scheduler/filters/availability_zone_filter.py, until Yoga)"""

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class AvailabilityZoneFilter(BaseHostFilter):
    """Pass hosts in the availability zone that was asked for; every host when none was."""

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether a zone was asked for."""
        return request_spec.availability_zone is not None

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host is in the zone."""
        return request_spec.availability_zone in (None, host_state.service.availability_zone)
