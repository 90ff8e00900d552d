"""The volumes that a server has over HTTP: ``/servers/{id}/os-volume_attachments``."""

from typing import Any

from mininova import errors
from mininova.api.attachments import Wish
from mininova.api.handlers.servers import find
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import volume_attachments as schemas
from mininova.api.validation import takes
from mininova.db.block_devices import Recorded
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]


@takes(query=schemas.LIST)
def index(request: ComputeRequest, server_id: str) -> Json:
    """List them."""
    instance = find(request, server_id, "os-volumes-attachments:index")
    found = request.cloud.attachments.of(instance)
    most, offset = request.cloud.conf.api.max_limit, whole(request.query.get("offset", "0"))
    limit = min(whole(request.query.get("limit", str(most))), most)
    return {"volumeAttachments": [_shown(request, it) for it in found[offset : offset + limit]]}


def show(request: ComputeRequest, server_id: str, volume_id: str) -> Json:
    """Show one of them."""
    instance = find(request, server_id, "os-volumes-attachments:show")
    return {"volumeAttachment": _shown(request, request.cloud.attachments.find(instance, volume_id))}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest, server_id: str) -> Json | Reply:
    """Give a server a volume."""
    instance = find(request, server_id, "os-volumes-attachments:create")
    body = request.body_of("volumeAttachment")
    wish = Wish(
        body["volumeId"], body.get("device") or None, body.get("tag"), _true(body.get("delete_on_termination", False)),
        multiattach=request.api_version >= (2, 60),
    )  # fmt: skip
    made = request.cloud.attachments.attach(request.context, instance, wish)
    if request.api_version >= (2, 101):
        return Reply(202)
    return {"volumeAttachment": {"id": made.volume_id, **_common(request, made)}}


@takes(body=schemas.UPDATE)
def update(request: ComputeRequest, server_id: str, volume_id: str) -> Reply:
    """Say whether a volume is deleted with its server (2.85).

    Cinder swaps a volume for another while it takes the volume elsewhere.  No volume here ever goes elsewhere.
    """
    body = request.body_of("volumeAttachment")
    if body["volumeId"] != volume_id or request.api_version < (2, 85):
        find(request, server_id, "os-volumes-attachments:swap")
        request.cloud.attachments.volumes().get(request.context, volume_id)
        raise errors.Conflict(f"volume {volume_id} is not migrating; this API should only be called by Cinder")
    instance = find(request, server_id, "os-volumes-attachments:update")
    it = request.cloud.attachments.find(instance, volume_id)
    told = {"id": volume_id, "serverId": instance.uuid, "device": it.device_name, "tag": it.tag}
    for name, kept in told.items():
        if name in body and body[name] != kept:
            raise errors.InvalidInput(f"The {name} property is not mutable")
    if "delete_on_termination" in body:
        wanted = _true(body["delete_on_termination"])
        request.cloud.attachments.keep(instance, volume_id, delete_on_termination=wanted)
    return Reply(202)


def delete(request: ComputeRequest, server_id: str, volume_id: str) -> Reply:
    """Take a volume away from a server."""
    instance = find(request, server_id, "os-volumes-attachments:delete")
    request.cloud.attachments.detach(request.context, instance, volume_id)
    return Reply(202)


def _shown(request: ComputeRequest, it: Recorded) -> Json:
    if request.api_version < (2, 89):
        return {"id": it.volume_id, **_common(request, it)}
    return {"attachment_id": it.attachment_id, "bdm_uuid": it.uuid, **_common(request, it)}


def _common(request: ComputeRequest, it: Recorded) -> Json:
    shown: Json = {"serverId": it.instance_uuid, "volumeId": it.volume_id, "device": it.device_name}
    if request.api_version >= (2, 70):
        shown["tag"] = it.tag
    if request.api_version >= (2, 79):
        shown["delete_on_termination"] = it.delete_on_termination
    return shown


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in TRUE
