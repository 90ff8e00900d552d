"""Volumes and their snapshots over HTTP, until 2.35: ``/os-volumes`` and ``/os-snapshots``.  They are Cinder's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mininova import errors
from mininova.api.paging import limit_of, number
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import volumes as schemas
from mininova.api.validation import takes
from mininova.api.views.times import bare
from mininova.objects import SnapshotMeta, VolumeMeta
from mininova.service.volumes import VolumeService
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]
T = TypeVar("T")

SAME = ("snapshot_id", "volume_type", "metadata", "availability_zone")  # fields that both APIs call the same


def _volumes(request: ComputeRequest) -> VolumeService:
    return request.cloud.attachments.volumes()


def _page(request: ComputeRequest, found: list[T]) -> list[T]:
    offset = number(request, "offset")
    return found[offset : offset + limit_of(request)]


@contextmanager
def _refusals_as_novas() -> Iterator[None]:
    """Answer what the volume service refuses to make as Nova does: 403 beyond a quota, 400 for what is not there."""
    try:
        yield
    except errors.OverLimit as reason:
        raise errors.NotAllowed(str(reason)) from reason
    except errors.NotFound as reason:
        raise errors.InvalidInput(str(reason)) from reason


# ---- volumes


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List the project's volumes."""
    request.require("os-volumes:list")
    return _listed(request)


@takes(query=schemas.LIST)
def detail(request: ComputeRequest) -> Json:
    """List them, with as much of each."""
    request.require("os-volumes:detail")
    return _listed(request)


def _listed(request: ComputeRequest) -> Json:
    return {"volumes": [_volume(it) for it in _page(request, _volumes(request).search(request.context))]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show one."""
    request.require("os-volumes:show")
    return {"volume": _volume(_volumes(request).get(request.context, id))}


@takes(body=schemas.VOLUME)
def create(request: ComputeRequest) -> Reply:
    """Make one."""
    request.require("os-volumes:create")
    body, volumes, ctxt = request.body_of("volume"), _volumes(request), request.context
    if body.get("snapshot_id"):
        volumes.get_snapshot(ctxt, body["snapshot_id"])
    said = {name: body[name] for name in SAME if body.get(name)}
    said |= {"name": body.get("display_name"), "description": body.get("display_description")}
    with _refusals_as_novas():
        made = volumes.make(ctxt, {**said, "size": whole(body["size"])})
    return Reply(200, {"volume": _volume(made)}, headers={"Location": f"{request.path_url}/{made.id}"})


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete one."""
    request.require("os-volumes:delete")
    _volumes(request).delete(request.context, id)
    return Reply(202)


def _volume(it: VolumeMeta) -> Json:
    attached: list[Json] = [{}]
    for server_id, device in it.attached[:1]:
        attached = [{"id": it.id, "volumeId": it.id, "serverId": server_id, **({"device": device} if device else {})}]
    return {
        "id": it.id,
        "status": it.status,
        "size": it.size,
        "availabilityZone": it.availability_zone,
        "createdAt": bare(it.created_at),
        "attachments": attached,
        "displayName": it.name,
        "displayDescription": it.description,
        "volumeType": it.type_name,
        "snapshotId": it.snapshot_id,
        "metadata": it.metadata,
    }


# ---- snapshots


@takes(query=schemas.LIST)
def snapshots(request: ComputeRequest) -> Json:
    """List the project's snapshots."""
    request.require("os-volumes:snapshots:list")
    return _snapshots(request)


@takes(query=schemas.LIST)
def snapshots_detail(request: ComputeRequest) -> Json:
    """List them, with as much of each."""
    request.require("os-volumes:snapshots:detail")
    return _snapshots(request)


def _snapshots(request: ComputeRequest) -> Json:
    return {"snapshots": [_snapshot(it) for it in _page(request, _volumes(request).snapshots(request.context))]}


def show_snapshot(request: ComputeRequest, id: str) -> Json:
    """Show one."""
    request.require("os-volumes:snapshots:show")
    return {"snapshot": _snapshot(_volumes(request).get_snapshot(request.context, id))}


@takes(body=schemas.SNAPSHOT)
def create_snapshot(request: ComputeRequest) -> Json:
    """Take one of a volume."""
    request.require("os-volumes:snapshots:create")
    body = request.body_of("snapshot")
    force = str(body.get("force", False)).lower() in TRUE
    with _refusals_as_novas():
        taken = _volumes(request).take_snapshot(
            request.context, body["volume_id"], body.get("display_name"), body.get("display_description"), force=force
        )
    return {"snapshot": _snapshot(taken)}


def delete_snapshot(request: ComputeRequest, id: str) -> Reply:
    """Delete one."""
    request.require("os-volumes:snapshots:delete")
    _volumes(request).delete_snapshot(request.context, id)
    return Reply(202)


def _snapshot(it: SnapshotMeta) -> Json:
    return {
        "id": it.id,
        "volumeId": it.volume_id,
        "status": it.status,
        "size": it.size,
        "createdAt": bare(it.created_at),
        "displayName": it.name,
        "displayDescription": it.description,
    }
