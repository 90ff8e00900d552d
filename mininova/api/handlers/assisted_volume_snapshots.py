"""Snapshots of volumes that a guest has open, over HTTP: Cinder asks for them where a volume is a file of the host.

What is not so is a 400 here, as in Nova, also where elsewhere it would be a 409.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.schemas import assisted_volume_snapshots as schemas
from mininova.api.validation import takes


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> dict[str, Any]:
    """Have a snapshot be made of a volume."""
    request.require("os-assisted-volume-snapshots:create")
    asked = request.body_of("snapshot")
    volume_id, info = asked["volume_id"], asked["create_info"]
    with _conflicts_as_bad_requests():
        request.cloud.questions.volume_snapshot_create(request.context, volume_id, info["snapshot_id"])
    return {"snapshot": {"id": info.get("id"), "volumeId": volume_id}}


@takes(query=schemas.DELETE)
def delete(request: ComputeRequest, id: str) -> None:
    """Have the snapshot of the volume that the query names be deleted."""
    request.require("os-assisted-volume-snapshots:delete")
    try:
        info = json.loads(request.query["delete_info"])
        volume_id, merges = info["volume_id"], info.get("merge_target_file") is not None
    except (KeyError, ValueError, TypeError, RecursionError) as reason:
        raise errors.InvalidInput(str(reason)) from reason
    with _conflicts_as_bad_requests():
        request.cloud.questions.volume_snapshot_delete(request.context, volume_id, id, merges=merges)


@contextmanager
def _conflicts_as_bad_requests() -> Iterator[None]:
    try:
        yield
    except errors.Conflict as reason:
        raise errors.InvalidInput(str(reason)) from reason
