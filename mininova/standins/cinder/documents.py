"""How volumes, snapshots, types and attachments look in the Block Storage API."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mininova.standins.cinder.db.things import ATTACHED, Attachment, Snapshot, Volume, VolumeType
from mininova.wsgi import Request

Json = dict[str, Any]

ZONE = "nova"
BACKEND = "cinder@fake#fake"


def volume(
    request: Request,
    volume: Volume,
    types: Mapping[str, VolumeType],
    attached: Sequence[Attachment],
    *,
    in_detail: bool = True,
) -> Json:
    """Show a volume.

    :param types: those of all volumes, by their id
    :param attached: the attachments of this one
    :param in_detail: with what Cinder's extensions add, which the answers to POST and PUT have not
    """
    version, kind = request.api_version, types[volume.volume_type_id]
    shown: Json = {
        **brief(request, volume, "volumes"),
        "description": volume.description,
        "size": volume.size,
        "status": volume.status,
        "availability_zone": volume.availability_zone,
        "bootable": str(volume.bootable).lower(),
        "multiattach": volume.multiattach,
        "encrypted": False,
        "volume_type": kind.name,
        "snapshot_id": volume.snapshot_id,
        "source_volid": volume.source_volid,
        "metadata": {**volume.metadata, **({"readonly": "True"} if volume.readonly else {})},
        "user_id": volume.user_id,
        "created_at": when(volume.created_at),
        "updated_at": when(volume.updated_at),
        "attachments": [_of_volume(each) for each in attached if each.status == ATTACHED],
        "consistencygroup_id": None,
        "replication_status": None,
        "migration_status": None,
    }
    if in_detail:
        shown |= _extensions(request, volume)
    if version >= (3, 13):
        shown["group_id"] = None
    if version >= (3, 48):
        shown |= {"shared_targets": False, "service_uuid": None}
    if version >= (3, 61) and request.context.is_admin:
        shown["cluster_name"] = None
    if version >= (3, 63):
        shown["volume_type_id"] = kind.id
    if version >= (3, 65):
        shown["consumes_quota"] = True
    if request.context.is_admin and version >= (3, 21):
        shown["provider_id"] = None
    return shown


def _extensions(request: Request, volume: Volume) -> Json:
    shown: Json = {"os-vol-tenant-attr:tenant_id": volume.project_id}
    if volume.image_metadata:
        shown["volume_image_metadata"] = volume.image_metadata
    if request.context.is_admin:
        shown |= {
            "os-vol-host-attr:host": BACKEND,
            "os-vol-mig-status-attr:migstat": None,
            "os-vol-mig-status-attr:name_id": None,
        }
    return shown


def brief(request: Request, thing: Volume | Snapshot, collection: str) -> Json:
    """Show what a short list has of a volume."""
    base = f"{request.service_endpoint}/v3/{thing.project_id}/{collection}/{thing.id}"
    links = [{"rel": "self", "href": base}, {"rel": "bookmark", "href": base.replace("/v3/", "/", 1)}]
    return {"id": thing.id, "name": thing.name, "links": links}


def _of_volume(attachment: Attachment) -> Json:
    return {
        "id": attachment.volume_id,
        "attachment_id": attachment.id,
        "volume_id": attachment.volume_id,
        "server_id": attachment.instance_uuid,
        "host_name": attachment.host,
        "device": attachment.mountpoint,
        "attached_at": when(attachment.updated_at),
    }


def snapshot(request: Request, snapshot: Snapshot, *, in_detail: bool = True) -> Json:
    """Show a snapshot."""
    shown = {
        "id": snapshot.id,
        "name": snapshot.name,
        "description": snapshot.description,
        "size": snapshot.size,
        "status": snapshot.status,
        "volume_id": snapshot.volume_id,
        "metadata": snapshot.metadata,
        "created_at": when(snapshot.created_at),
        "updated_at": when(snapshot.updated_at),
    }
    if in_detail:
        shown["os-extended-snapshot-attributes:progress"] = "100%"
        shown["os-extended-snapshot-attributes:project_id"] = snapshot.project_id
    if request.api_version >= (3, 14):
        shown["group_snapshot_id"] = None
    if request.api_version >= (3, 41):
        shown["user_id"] = snapshot.user_id
    if request.api_version >= (3, 65):
        shown["consumes_quota"] = True
    return shown


def volume_type(request: Request, type_: VolumeType) -> Json:
    """Show a type of volumes."""
    shown = {
        "id": type_.id,
        "name": type_.name,
        "description": type_.description,
        "is_public": type_.is_public,
        "os-volume-type-access:is_public": type_.is_public,
        "extra_specs": type_.extra_specs,
    }
    return {**shown, "qos_specs_id": None} if request.context.is_admin else shown


def attachment(attachment: Attachment, *, in_detail: bool = True) -> Json:
    """Show an attachment."""
    shown: Json = {
        "id": attachment.id,
        "status": attachment.status,
        "instance": attachment.instance_uuid,
        "volume_id": attachment.volume_id,
    }
    if not in_detail:
        return shown
    is_connected = attachment.host is not None
    return {
        **shown,
        "attached_at": when(attachment.updated_at) if attachment.status == ATTACHED else None,
        "detached_at": None,
        "attach_mode": attachment.mode,
        "connection_info": connection(attachment) if is_connected else {},
    }


def connection(attachment: Attachment) -> Json:
    """Tell a host how it reaches a volume: there is nothing to reach."""
    return {
        "driver_volume_type": "fake",
        "volume_id": attachment.volume_id,
        "attachment_id": attachment.id,
        "access_mode": attachment.mode or "rw",
        "encrypted": False,
        "qos_specs": None,
    }


def when(moment: datetime) -> str:
    """Write a moment as Cinder does."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
