"""Filters: which hosts a request may go to.  The configuration says which are asked, and in which order."""

from collections.abc import Sequence

from mininova import errors
from mininova.objects import RequestSpec
from mininova.scheduler.filters.availability_zone_filter import AvailabilityZoneFilter
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.filters.compute_filter import ComputeFilter
from mininova.scheduler.filters.core_filter import CoreFilter
from mininova.scheduler.filters.disk_filter import DiskFilter
from mininova.scheduler.filters.image_properties_filter import ImagePropertiesFilter
from mininova.scheduler.filters.ram_filter import RamFilter
from mininova.scheduler.filters.requested_destination_filter import RequestedDestinationFilter
from mininova.scheduler.filters.retry_filter import RetryFilter

__all__ = ["FILTERS", "BaseHostFilter", "enabled", "needed"]

FILTERS: dict[str, type[BaseHostFilter]] = {
    cls.__name__: cls
    for cls in (
        AvailabilityZoneFilter,
        ComputeFilter,
        CoreFilter,
        DiskFilter,
        ImagePropertiesFilter,
        RamFilter,
        RequestedDestinationFilter,
        RetryFilter,
    )
}


def enabled(names: Sequence[str]) -> list[BaseHostFilter]:
    """Make the filters that the configuration names, in its order.

    :raises errors.ConfigError: quoting a name that is no filter's
    """
    if unknown := [name for name in names if name not in FILTERS]:
        known = ", ".join(FILTERS)
        raise errors.ConfigError(
            problem=f"[filter_scheduler] enabled_filters: {unknown[0]} is no filter; there are {known}"
        )
    return [FILTERS[name]() for name in names]


def needed(request_spec: RequestSpec, configured: Sequence[BaseHostFilter]) -> list[BaseHostFilter]:
    """Give the filters that a request must pass.

    Whether it goes to a host that was asked for by name is no matter of configuration.
    """
    if request_spec.requested_host is None and request_spec.requested_node is None:
        return list(configured)
    return [RequestedDestinationFilter(), *configured]
