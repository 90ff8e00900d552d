"""Flavors over HTTP: the sizes of servers; administrators make and remove them."""

from typing import Any
from uuid import uuid4

from mininova import errors
from mininova.api.paging import limit_of, marker_of, next_page, number
from mininova.api.request import FALSE, TRUE, ComputeRequest
from mininova.api.schemas import flavors as schemas
from mininova.api.validation import takes
from mininova.api.views.flavors import show_flavor, summary
from mininova.db import flavors
from mininova.objects import Flavor
from mininova.wsgi import Reply

Json = dict[str, Any]

# Nova's names for what flavors are sorted by, where ours differ.
SORT_COLUMNS = {"flavorid": "flavor_id", "swap": "swap_mb", "updated_at": "created_at", "vcpu_weight": "id"}


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List flavors."""
    return _list(request, "flavors", summary)


@takes(query=schemas.LIST)
def detail(request: ComputeRequest) -> Json:
    """List flavors with all their fields."""
    with_specs = request.allows("os-flavor-extra-specs:index")
    return _list(request, "flavors/detail", lambda request, flavor: show_flavor(request, flavor, with_specs))


def show(request: ComputeRequest, id: str) -> Json:
    """Show one flavor."""
    return {"flavor": show_flavor(request, visible(request, id), request.allows("os-flavor-extra-specs:index"))}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Json:
    """Make a flavor; without an id it gets one."""
    request.require("os-flavor-manage:create")
    body = request.body_of("flavor")
    new = Flavor(
        flavor_id=str(body.get("id") or uuid4()),
        name=body["name"].strip(),
        memory_mb=int(body["ram"]),
        vcpus=int(body["vcpus"]),
        root_gb=int(body["disk"]),
        ephemeral_gb=int(body.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap_mb=int(body.get("swap", 0)),
        rxtx_factor=float(body.get("rxtx_factor", 1.0)),
        is_public=str(body.get("os-flavor-access:is_public", True)).lower() in TRUE,
        description=body.get("description"),
    )
    with request.cloud.db.write() as tx:
        flavors.create(tx, new)
    return {"flavor": show_flavor(request, new, with_specs=True)}


@takes(body=schemas.UPDATE)
def update(request: ComputeRequest, id: str) -> Json:
    """Change a flavor's description."""
    request.require("os-flavor-manage:update")
    with request.cloud.db.write() as tx:
        changed = flavors.update(tx, id, description=request.body_of("flavor")["description"])
    return {"flavor": show_flavor(request, changed, with_specs=True)}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Remove a flavor; instances that have it keep it."""
    request.require("os-flavor-manage:delete")
    with request.cloud.db.write() as tx:
        flavors.delete(tx, id)
    return Reply(202)


def visible(request: ComputeRequest, id: str) -> Flavor:
    """Read a flavor that the caller may see.

    :raises errors.FlavorNotFound: when there is none
    """
    ctxt = request.context
    with request.cloud.db.read() as tx:
        return flavors.get(tx, id, project_id=None if ctxt.is_admin else ctxt.project_id)


def _list(request: ComputeRequest, path: str, show_one: Any) -> Json:
    limit, column = limit_of(request), request.query.get("sort_key", "flavorid")
    with request.cloud.db.read() as tx:
        found = flavors.search(
            tx,
            **_audience(request),
            name=request.query.get("name") if request.api_version >= (2, 102) else None,
            min_ram=number(request, "minRam"),
            min_disk=number(request, "minDisk"),
            sort=[(SORT_COLUMNS.get(column, column), request.query.get("sort_dir", "asc"))],
            limit=limit,
            marker=marker_of(request),
        )
    answer: Json = {"flavors": [show_one(request, flavor) for flavor in found]}
    if links := next_page(request, path, found, limit, found[-1].flavor_id if found else ""):
        answer["flavors_links"] = links
    return answer


def _audience(request: ComputeRequest) -> Json:
    """Choose the flavors to list: administrators say which, others get those that they may use."""
    if not request.context.is_admin:
        return {"is_public": True, "project_id": request.context.project_id, "disabled": False}
    asked = request.query.get("is_public", "true").lower()
    if asked not in {"none", *TRUE, *FALSE}:
        raise errors.InvalidInput(f"Invalid is_public filter [{request.query['is_public']}]")
    return {"is_public": None if asked == "none" else asked in TRUE}
