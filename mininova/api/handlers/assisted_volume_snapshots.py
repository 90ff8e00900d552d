"""Snapshots of volumes that a guest has open, over HTTP: Cinder asks for them.  No guest has a volume here.

The answers are those of a Nova in which no server has the volume that is named.
"""

import json
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.schemas import assisted_volume_snapshots as schemas
from mininova.api.validation import takes


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> dict[str, Any]:
    """Find no server that has the volume."""
    request.require("os-assisted-volume-snapshots:create")
    raise errors.VolumeNotAttached(volume_id=request.body_of("snapshot")["volume_id"])


@takes(query=schemas.DELETE)
def delete(request: ComputeRequest, id: str) -> None:
    """Find no server that has the volume which the query names."""
    request.require("os-assisted-volume-snapshots:delete")
    try:
        volume_id = json.loads(request.query["delete_info"])["volume_id"]
    except (KeyError, ValueError, TypeError, RecursionError) as reason:
        raise errors.InvalidInput(str(reason)) from reason
    raise errors.VolumeNotAttached(volume_id=volume_id)
