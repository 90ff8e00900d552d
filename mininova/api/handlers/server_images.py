"""Actions on a server that need an image over HTTP: rebuild and rescue it.

The answer has a password for the guest's administrator, as that of a boot has.
"""

from typing import Any

from mininova import errors
from mininova.api import create as creation
from mininova.api import quotas, volume_backed
from mininova.api.handlers.servers import COLUMNS, columns_of, extras_of_one, find, password
from mininova.api.other_services import require_usable
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_actions as schemas
from mininova.api.validation import takes
from mininova.api.views.servers import Views
from mininova.db import instances
from mininova.objects import Arguments, ImageMeta, Instance
from mininova.wsgi import Reply

Json = dict[str, Any]

# The fields of a rebuild, and the column that each is written to.
REBUILT = {**COLUMNS, "metadata": "metadata", "key_name": "key_name", "user_data": "user_data"}


@takes(body=schemas.REBUILD)
def rebuild(request: ComputeRequest, id: str) -> Reply:
    """Make a server anew from an image, with its address, its flavor and its host."""
    instance, body = find(request, id, "servers:rebuild"), request.body_of("rebuild")
    image = _image_to_rebuild_from(request, instance, body)
    root, asked = volume_backed.plan_rebuild(request, instance, image)
    creation.require_fit(instance.flavor, image, root)
    columns = columns_of(body, REBUILT) | ({} if root is not None else {"image_ref": image.id})
    rebuilt = request.cloud.operations.begin(request.context, "rebuild", instance, asked, columns)
    server = Views(request, extras_of_one(request, rebuilt)).rebuilt(rebuilt, _user_data(request, rebuilt))
    server["adminPass"] = password(request, body)
    return Reply(202, {"server": server}, headers={"Location": server["links"][0]["href"]})


def _image_to_rebuild_from(request: ComputeRequest, instance: Instance, body: Json) -> ImageMeta:
    """Check what a rebuild asks for, and give the image.

    :raises errors.InvalidInput: naming what is not there, or does not go together
    """
    try:
        image = request.cloud.images.get(request.context, body["imageRef"])
    except errors.ImageNotFound as reason:
        raise errors.InvalidInput("Cannot find image for rebuild") from reason
    require_usable(image)
    if body.get("trusted_image_certificates"):
        raise errors.InvalidInput("Image certificates cannot be checked: no key manager is here.")
    if name := body.get("key_name"):
        with request.cloud.db.read() as tx:
            if not creation.is_key(tx, instance.user_id, name):
                raise errors.InvalidInput("Invalid key_name provided.")
    if body.get("metadata") or body.get("personality"):
        _require_quota(request, body)
    return image


def _require_quota(request: ComputeRequest, body: Json) -> None:
    ctxt = request.context
    with request.cloud.db.read() as tx:
        quota = quotas.read(tx, request.cloud.conf, ctxt.project_id, ctxt.user_id, count=False)
    quotas.require_few_items(quota, body.get("metadata", {}))
    quotas.require_few_files(quota, body.get("personality", []))


def _user_data(request: ComputeRequest, instance: Instance) -> str | None:
    if request.api_version < (2, 57):
        return None
    with request.cloud.db.read() as tx:
        return instances.user_data(tx, [instance.uuid]).get(instance.uuid)


@takes(body=schemas.RESCUE)
def rescue(request: ComputeRequest, id: str) -> Json:
    """Start a server from an image, to repair its own disk."""
    instance, body = find(request, id, "os-rescue"), request.document["rescue"] or {}
    image = _image_to_rescue_with(request, instance, body.get("rescue_image_ref"))
    volume_backed.require_rescuable(request, instance, image)
    asked = Arguments(image=image)
    request.cloud.operations.begin(request.context, "rescue", instance, asked)
    return {"adminPass": password(request, body)}


def _image_to_rescue_with(request: ComputeRequest, instance: Instance, image_id: str | None) -> ImageMeta:
    """Give the image that was named, or else the one that the server was made of, which may be gone by now."""
    try:
        return request.cloud.images.get(request.context, image_id or instance.image_ref)
    except errors.ImageNotFound as reason:
        if image_id is not None:
            raise errors.InvalidInput(f"Requested rescue image '{image_id}' is not supported") from reason
        return ImageMeta(id=instance.image_ref)
