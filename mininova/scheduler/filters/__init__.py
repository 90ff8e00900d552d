"""Filters: which hosts a request may go to.  The configuration says which are asked, and in which order.

Each is a plug-in: pyproject.toml registers ours.
"""

from collections.abc import Sequence

from oslo_config import cfg

from mininova import plugins
from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.filters.requested_destination_filter import RequestedDestinationFilter

__all__ = ["BaseHostFilter", "enabled", "needed"]


def enabled(conf: cfg.ConfigOpts) -> list[BaseHostFilter]:
    """Make the filters that the configuration names, in its order.

    :raises errors.ConfigError: quoting a name that is no filter's
    """
    names = conf.filter_scheduler.enabled_filters
    found = plugins.load("filter", names, BaseHostFilter, "[filter_scheduler] enabled_filters")
    return [each.from_conf(conf) for each in found]


def needed(request_spec: RequestSpec, configured: Sequence[BaseHostFilter]) -> list[BaseHostFilter]:
    """Give the filters that a request must pass: those that apply to it.

    A request that names its host must go there, even when RequestedDestinationFilter is not configured.
    """
    asked = [each for each in configured if each.applies_to(request_spec)]
    destination = RequestedDestinationFilter()
    return [destination, *asked] if destination.applies_to(request_spec) else asked
