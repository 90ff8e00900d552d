"""The filters that look at what is said of a host's aggregates (nova: scheduler/filters/aggregate_*.py)."""

from typing import Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.filters.extra_specs import match, scoped
from mininova.scheduler.host_state import HostState

EXTRA_SPECS = "aggregate_instance_extra_specs"
TENANT = "filter_tenant_id"


class AggregateInstanceExtraSpecsFilter(BaseHostFilter):
    """Pass hosts whose aggregates have what the flavor's extra specs ask, under the same keys.

    It is for extra specs in the scope ``aggregate_instance_extra_specs`` and for those in none.
    """

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether there are any."""
        return any(scoped(request_spec, EXTRA_SPECS))

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether each has a value that does."""
        said = host_state.aggregate_metadata
        return all(
            any(match(value, asked) for value in said.get(key, ())) for key, asked in scoped(request_spec, EXTRA_SPECS)
        )


class AggregateImagePropertiesIsolation(BaseHostFilter):
    """Pass hosts whose aggregates contradict no property of the image: under the same key they have the same value.

    With ``[filter_scheduler] aggregate_image_properties_isolation_namespace`` only keys that begin with it count.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one for the configured namespace."""
        options = conf.filter_scheduler
        namespace = options.aggregate_image_properties_isolation_namespace
        return cls(namespace + options.aggregate_image_properties_isolation_separator if namespace else "")

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether the image has properties."""
        return bool(request_spec.image.properties)

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether none is contradicted."""
        said = host_state.aggregate_metadata
        return not said or all(
            not value or value in said.get(key, (value,))
            for key, value in request_spec.image.properties.items()
            if key.startswith(self._prefix)
        )


class AggregateMultiTenancyIsolation(BaseHostFilter):
    """Keep hosts to the projects that their aggregates name: ``filter_tenant_id``, or keys that begin so."""

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the request's project is among them, or none is named."""
        said = host_state.aggregate_metadata
        named = [projects for key, projects in said.items() if key.startswith(TENANT)]
        return not named or any(request_spec.project_id in projects for projects in named)


class AggregateTypeAffinityFilter(BaseHostFilter):
    """Keep hosts to the flavors that their aggregates name: ``instance_type``."""

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the request's flavor is among them, or none is named."""
        named = host_state.aggregate_metadata.get("instance_type")
        return named is None or request_spec.flavor.name in named
