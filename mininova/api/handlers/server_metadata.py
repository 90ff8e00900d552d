"""A server's metadata over HTTP: keys and values that its owner makes up.

It is written only while the server is at rest and not being built; Nova refuses it otherwise, too.
"""

from collections.abc import Callable
from typing import Any

from mininova import errors
from mininova.api import quotas
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.requirements import require_at_rest, require_unlocked
from mininova.api.schemas import server_metadata as schemas
from mininova.api.validation import takes
from mininova.objects import Instance
from mininova.wsgi import Reply

Json = dict[str, Any]
Metadata = dict[str, str]

MISSING = "Metadata item was not found"


def index(request: ComputeRequest, server_id: str) -> Json:
    """List a server's metadata."""
    return {"metadata": find(request, server_id, "server-metadata:index").metadata}


def show(request: ComputeRequest, server_id: str, key: str) -> Json:
    """Show one item of a server's metadata."""
    metadata = find(request, server_id, "server-metadata:show").metadata
    if key not in metadata:
        raise errors.NotFound(MISSING)
    return {"meta": {key: metadata[key]}}


@takes(body=schemas.METADATA_BODY)
def create(request: ComputeRequest, server_id: str) -> Json:
    """Set several items of a server's metadata; the others stay."""
    instance, new = find(request, server_id, "server-metadata:create"), request.document["metadata"]
    return {"metadata": _write(request, instance, lambda old: {**old, **new})}


@takes(body=schemas.METADATA_BODY)
def update_all(request: ComputeRequest, server_id: str) -> Json:
    """Replace a server's metadata."""
    instance, new = find(request, server_id, "server-metadata:update_all"), request.document["metadata"]
    return {"metadata": _write(request, instance, lambda _: new)}


@takes(body=schemas.META_BODY)
def update(request: ComputeRequest, server_id: str, key: str) -> Json:
    """Set one item of a server's metadata."""
    instance, meta = find(request, server_id, "server-metadata:update"), request.document["meta"]
    if key not in meta:
        raise errors.InvalidInput("Request body and URI mismatch")
    _write(request, instance, lambda old: {**old, **meta})
    return {"meta": meta}


def delete(request: ComputeRequest, server_id: str, key: str) -> Reply:
    """Remove one item of a server's metadata."""
    instance = find(request, server_id, "server-metadata:delete")
    if key not in instance.metadata:
        raise errors.NotFound(MISSING)
    _write(request, instance, lambda old: {name: old[name] for name in old if name != key}, method="delete metadata")
    return Reply(204)


def _quota(request: ComputeRequest) -> quotas.Quota:
    ctxt = request.context
    with request.cloud.db.read() as tx:
        return quotas.read(tx, request.cloud.conf, ctxt.project_id, ctxt.user_id, count=False)


def _write(
    request: ComputeRequest,
    instance: Instance,
    change: Callable[[Metadata], Metadata],
    method: str = "update metadata",
) -> Metadata:
    quota = _quota(request)

    def columns(current: Instance) -> Json:
        require_unlocked(request.context, current)
        require_at_rest(current, method)
        metadata = change(current.metadata)
        quotas.require_few_items(quota, metadata)
        return {"metadata": metadata}

    return request.cloud.operations.edit(instance, columns).metadata
