"""Filters: which hosts a request may go to.  The configuration says which are asked, and in which order.

Each is a plug-in: pyproject.toml registers ours.
"""

from collections.abc import Sequence

from mininova import plugins
from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.filters.requested_destination_filter import RequestedDestinationFilter

__all__ = ["BaseHostFilter", "enabled", "needed"]


def enabled(names: Sequence[str]) -> list[BaseHostFilter]:
    """Make the filters that the configuration names, in its order.

    :raises errors.ConfigError: quoting a name that is no filter's
    """
    found = plugins.load("filter", names, BaseHostFilter, "[filter_scheduler] enabled_filters")
    return [each() for each in found]


def needed(request_spec: RequestSpec, configured: Sequence[BaseHostFilter]) -> list[BaseHostFilter]:
    """Give the filters that a request must pass: not those that read a hint which it does not have.

    A request that names its host must go there, even when RequestedDestinationFilter is not configured.
    """
    asked = [each for each in configured if each.hint is None or each.hint in request_spec.scheduler_hints]
    if request_spec.requested_host is None and request_spec.requested_node is None:
        return asked
    return [RequestedDestinationFilter(), *asked]
