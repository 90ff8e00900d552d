"""RequiredTraitsFilter: has the host the traits? (nova: Placement, which Nova asks for them)"""

from collections.abc import Iterator

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState

PREFIX, REQUIRED, FORBIDDEN = "trait:", "required", "forbidden"


class RequiredTraitsFilter(BaseHostFilter):
    """Pass hosts with the traits that the flavor or the image requires (``trait:NAME = required``), and none forbidden.

    A host has a trait for each feature of its CPU (``HW_CPU_X86_AVX``), and those that are ``required`` in the metadata
    of its aggregates, which is how an administrator gives hosts others (``trait:CUSTOM_GOLD = required``).
    """

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether any is asked for."""
        return any(_asked(request_spec))

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host has those that are required, and none that is forbidden."""
        return all(_has(host_state, name) is (asked == REQUIRED) for name, asked in _asked(request_spec))


def _asked(request_spec: RequestSpec) -> Iterator[tuple[str, str]]:
    for said in (request_spec.flavor.extra_specs, request_spec.image.properties):
        for key, asked in said.items():
            if key.startswith(PREFIX) and asked in (REQUIRED, FORBIDDEN):
                yield key.removeprefix(PREFIX), asked


def _has(host_state: HostState, trait: str) -> bool:
    cpu = host_state.node.cpu_info
    features, arch = cpu.get("features", ()), str(cpu.get("arch", ""))
    prefix = "HW_CPU_X86_" if arch in ("x86_64", "i686") else f"HW_CPU_{arch.upper()}_"
    feature = trait.removeprefix(prefix)
    has_feature = feature != trait and any(each.upper().replace("-", "_") == feature for each in features)
    return has_feature or REQUIRED in host_state.aggregate_metadata.get(f"{PREFIX}{trait}", ())
