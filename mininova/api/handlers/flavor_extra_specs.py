"""Extra specs of flavors over HTTP: free-form words about a size, such as ``hw:cpu_policy``.

From 2.86 on, a key in one of Nova's namespaces must be one that Nova knows (schemas/flavor_extra_specs.py).
"""

from typing import Any

from mininova import errors
from mininova.api.handlers.flavors import visible
from mininova.api.request import ComputeRequest
from mininova.api.schemas import flavor_extra_specs as schemas
from mininova.api.validation import takes
from mininova.db import flavors
from mininova.wsgi import Reply

Json = dict[str, Any]


def index(request: ComputeRequest, flavor_id: str) -> Json:
    """List a flavor's extra specs."""
    request.require("os-flavor-extra-specs:index")
    return {"extra_specs": visible(request, flavor_id).extra_specs}


def show(request: ComputeRequest, flavor_id: str, key: str) -> Json:
    """Show one extra spec of a flavor."""
    request.require("os-flavor-extra-specs:show")
    specs = visible(request, flavor_id).extra_specs
    _require_key(flavor_id, specs, key)
    return {key: specs[key]}


@takes(body=schemas.EXTRA_SPECS)
def create(request: ComputeRequest, flavor_id: str) -> Json:
    """Set several extra specs of a flavor; the others stay."""
    request.require("os-flavor-extra-specs:create")
    new = _as_text(request.document["extra_specs"])
    _set(request, flavor_id, new)
    return {"extra_specs": new}


@takes(body=schemas.EXTRA_SPEC)
def update(request: ComputeRequest, flavor_id: str, key: str) -> Json:
    """Set one extra spec of a flavor."""
    request.require("os-flavor-extra-specs:update")
    new = _as_text(request.document)
    if key not in new:
        raise errors.InvalidInput("Request body and URI mismatch")
    _set(request, flavor_id, new)
    return new


def delete(request: ComputeRequest, flavor_id: str, key: str) -> Reply:
    """Remove one extra spec of a flavor."""
    request.require("os-flavor-extra-specs:delete")
    with request.cloud.db.write() as tx:
        specs = flavors.get(tx, flavor_id).extra_specs
        _require_key(flavor_id, specs, key)
        flavors.update(tx, flavor_id, extra_specs={name: value for name, value in specs.items() if name != key})
    return Reply(200)


def _set(request: ComputeRequest, flavor_id: str, new: dict[str, str]) -> None:
    if request.api_version >= (2, 86):
        schemas.require_known(new)
    with request.cloud.db.write() as tx:
        specs = flavors.get(tx, flavor_id).extra_specs
        flavors.update(tx, flavor_id, extra_specs={**specs, **new})


def _as_text(specs: Json) -> dict[str, str]:
    return {key: str(value) for key, value in specs.items()}


def _require_key(flavor_id: str, specs: dict[str, str], key: str) -> None:
    if key not in specs:
        raise errors.NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.")
