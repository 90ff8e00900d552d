"""How a flavor looks."""

from typing import Any

from mininova.api.request import ComputeRequest
from mininova.objects import Flavor

Json = dict[str, Any]


def show_flavor(request: ComputeRequest, flavor: Flavor, with_specs: bool) -> Json:
    """Show a flavor."""
    version = request.api_version
    shown: Json = {
        "id": flavor.flavor_id,
        "name": flavor.name,
        "ram": flavor.memory_mb,
        "disk": flavor.root_gb,
        "swap": flavor.swap_mb or (0 if version >= (2, 75) else ""),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.is_public,
        "links": request.links.to("flavors", flavor.flavor_id),
    }
    if version < (2, 102):
        shown |= {"OS-FLV-DISABLED:disabled": flavor.disabled, "rxtx_factor": flavor.rxtx_factor}
    if version >= (2, 55):
        shown["description"] = flavor.description
    if version >= (2, 61) and with_specs:
        shown["extra_specs"] = flavor.extra_specs
    return shown


def summary(request: ComputeRequest, flavor: Flavor) -> Json:
    """Show what a list without details has."""
    links = request.links.to("flavors", flavor.flavor_id)
    shown: Json = {"id": flavor.flavor_id, "name": flavor.name, "links": links}
    return shown | {"description": flavor.description} if request.api_version >= (2, 55) else shown
