"""Images that are made of servers over HTTP: ``createImage`` and ``createBackup``.

The image is made here, in the name of the user, and has no data yet.  A conductor gives it its data when the server's
host has taken the disk.  As in Nova, a lock does not keep a server from having images made of it.
"""

from typing import Any

from mininova import errors, states
from mininova.api import quotas, volume_backed
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_actions as schemas
from mininova.api.validation import takes
from mininova.db import request_specs
from mininova.objects import Arguments, Instance
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]

# What a snapshot does not have from the image that its server was made of (nova: conf/compute.py, compute/utils.py).
NOT_INHERITED = frozenset({"cache_in_nova", "bittorrent"})
NOT_INHERITED_PREFIXES = ("img_signature", "cinder_encryption_key")


@takes(body=schemas.CREATE_IMAGE)
def create_image(request: ComputeRequest, id: str) -> Reply:
    """Make an image of a server."""
    body = request.document["createImage"]
    instance = find(request, id, "servers:create_image")
    if request.cloud.attachments.root_of(instance) is not None:
        return _answer(request, _of_volumes(request, instance, body))
    image_id = begin(request, "snapshot", instance, body, {"image_type": "snapshot"}, Arguments())
    return _answer(request, image_id)


@takes(body=schemas.CREATE_BACKUP)
def create_backup(request: ComputeRequest, id: str) -> Reply:
    """Make an image of a server, and delete the oldest of its backups of the same type, so that so many are left."""
    body = request.document["createBackup"]
    instance, rotation = find(request, id, "os-create-backup"), whole(body["rotation"])
    if request.cloud.attachments.root_of(instance) is not None:
        raise errors.InvalidInput("Backup is not supported for volume-backed instances.")
    properties = {"image_type": "backup", "backup_type": body["backup_type"]}
    asked = Arguments(backup_type=body["backup_type"], rotation=rotation)
    image_id = begin(request, "backup", instance, body, properties, asked)
    return _answer(request, image_id if rotation or request.api_version >= (2, 45) else "")


def _of_volumes(request: ComputeRequest, instance: Instance, body: Json) -> str:
    """Make the image of a server that boots from a volume; give its id."""
    metadata, name = body.get("metadata", {}), body["name"].strip()
    if request.api_version < (2, 39):
        _require_quota(request, metadata)
    request.require("servers:create_image:allow_volume_backed")
    states.begin("snapshot", instance)
    of_volumes = volume_backed.image_properties(request, instance, name)
    image_id = make(request, instance, name, {"image_type": "snapshot", **metadata, **of_volumes})
    volume_backed.complete(request, instance, image_id)
    return image_id


def _answer(request: ComputeRequest, image_id: str) -> Reply:
    """Name the image: in the body, or in older microversions by where it is."""
    if request.api_version >= (2, 45):
        return Reply(202, {"image_id": image_id})
    headers = {"Location": request.links.bookmark("images", image_id)[0]["href"]} if image_id else {}
    return Reply(202, headers=headers)


def begin(
    request: ComputeRequest, operation: str, instance: Instance, body: Json, properties: Json, asked: Arguments
) -> str:
    """Make the image, and begin the operation that gives it its data; give the image's id.

    :raises errors.InstanceInvalidState: when the operation cannot begin; then there is no image
    """
    metadata = body.get("metadata", {})
    if request.api_version < (2, 39):
        _require_quota(request, metadata)
    states.begin(operation, instance)
    images, ctxt = request.cloud.images, request.context
    image_id = make(request, instance, body["name"].strip(), {**properties, **metadata})
    try:
        request.cloud.operations.begin(ctxt, operation, instance, asked.making(image_id))
    except errors.MininovaError:
        images.delete(ctxt, image_id)
        raise
    return image_id


def make(request: ComputeRequest, instance: Instance, name: str, more: Json) -> str:
    """Make the image of a server, which needs what the server's own image does (nova: compute/utils.py, create_image).

    What another project has made, such as an administrator's, is shared with the server's.

    :param more: its properties beside those that it inherits
    """
    with request.cloud.db.read() as tx:
        base = request_specs.get(tx, instance.uuid).spec.image
    inherited = {
        key: value
        for key, value in base.properties.items()
        if key not in NOT_INHERITED and not key.startswith(NOT_INHERITED_PREFIXES)
    }
    ctxt, owner = request.context, instance.project_id
    ours = {"base_image_ref": instance.image_ref, "instance_uuid": instance.uuid, "user_id": ctxt.user_id or ""}
    return request.cloud.images.create(
        ctxt,
        name,
        min_ram=base.min_ram,
        min_disk=max(base.min_disk, instance.flavor.root_gb),
        properties={**inherited, **ours, **more},
        shared_with=owner if ctxt.project_id != owner else None,
    )


def _require_quota(request: ComputeRequest, metadata: Json) -> None:
    ctxt = request.context
    with request.cloud.db.read() as tx:
        quota = quotas.read(tx, request.cloud.conf, ctxt.project_id, ctxt.user_id, count=False)
    try:
        quotas.require_few_items(quota, metadata)
    except errors.QuotaExceeded as reason:
        raise errors.QuotaExceeded("Image metadata limit exceeded") from reason
