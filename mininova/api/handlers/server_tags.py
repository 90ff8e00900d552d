"""A server's tags over HTTP (2.26): words that it can be found by."""

from collections.abc import Callable
from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.requirements import require_at_rest
from mininova.api.schemas import server_tags as schemas
from mininova.api.schemas.types import ANY_QUERY, TAG
from mininova.api.validation import Schemas, takes
from mininova.objects import Instance
from mininova.wsgi import Reply

Json = dict[str, Any]

_tag = Schemas.always(TAG)


@takes(query=ANY_QUERY)
def index(request: ComputeRequest, server_id: str) -> Json:
    """List a server's tags."""
    return {"tags": find(request, server_id, "os-server-tags:index").tags}


@takes(query=ANY_QUERY)
def show(request: ComputeRequest, server_id: str, tag: str) -> None:
    """Tell whether a server has a tag: 204 or 404."""
    if tag not in find(request, server_id, "os-server-tags:show").tags:
        raise errors.NotFound(f"Server {server_id} has no tag '{tag}'")


@takes(body=schemas.NO_BODY)
def update(request: ComputeRequest, server_id: str, tag: str) -> Reply:
    """Add a tag to a server: 201, or 204 when it had it."""
    instance = find(request, server_id, "os-server-tags:update")
    complaint = _tag.complaint(tag, request.api_version)
    if complaint is not None:
        raise errors.InvalidInput(
            f"Tag '{tag}' is invalid. It must be a non empty string without characters '/' and ','. "
            f"Validation error message: {complaint.message}"
        )
    if tag in instance.tags:
        return Reply(204)
    _write(request, instance, lambda old: old | {tag}, method="update tag")
    return Reply(201, headers={"Location": request.links.url(f"servers/{server_id}/tags/{tag}")})


@takes(body=schemas.TAGS_BODY)
def update_all(request: ComputeRequest, server_id: str) -> Json:
    """Replace a server's tags."""
    instance, new = find(request, server_id, "os-server-tags:update_all"), set(request.document["tags"])
    return {"tags": _write(request, instance, lambda _: new, method="update tags").tags}


def delete(request: ComputeRequest, server_id: str, tag: str) -> Reply:
    """Remove one tag of a server."""

    def without(old: set[str]) -> set[str]:
        if tag not in old:
            raise errors.NotFound(f"Instance {server_id} has no tag '{tag}'")
        return old - {tag}

    _write(request, find(request, server_id, "os-server-tags:delete"), without, method="delete tag")
    return Reply(204)


def delete_all(request: ComputeRequest, server_id: str) -> Reply:
    """Remove a server's tags."""
    instance = find(request, server_id, "os-server-tags:delete_all")
    _write(request, instance, lambda _: set(), method="delete tags")
    return Reply(204)


def _write(
    request: ComputeRequest, instance: Instance, change: Callable[[set[str]], set[str]], method: str
) -> Instance:
    def columns(current: Instance) -> Json:
        require_at_rest(current, method)
        tags = change(set(current.tags))
        if len(tags) > schemas.MAX_TAGS:
            raise errors.InvalidInput(f"The number of tags exceeded the per-server limit {schemas.MAX_TAGS}")
        return {"tags": tuple(sorted(tags))}

    return request.cloud.operations.edit(instance, columns)
