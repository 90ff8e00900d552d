"""How Nova, in the same process, asks for volumes: by a query, where a real Cinder is asked over HTTP.

``volume_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from mininova import errors
from mininova.context import RequestContext, service_context
from mininova.db.session import Database
from mininova.objects import BlockDeviceMapping, ImageMeta, SnapshotMeta, VolumeMeta
from mininova.standins.cinder.attachments import Attachments
from mininova.standins.cinder.db.things import (
    ATTACHED,
    ATTACHMENTS,
    DETACHING,
    SNAPSHOTS,
    TYPES,
    VOLUMES,
    Snapshot,
    Volume,
)
from mininova.standins.cinder.schemas import METADATA, checked
from mininova.standins.cinder.volumes import Volumes, find_type
from mininova.wsgi import Parts


class VolumeService:
    """Reads volumes as Nova knows them, and keeps who has them."""

    def __init__(self, db: Database) -> None:
        self._db, self._volumes = db, Volumes(db)
        self._attachments = Attachments(self._volumes)

    def get(self, ctxt: RequestContext, volume_id: str) -> VolumeMeta:
        """Read one volume."""
        try:
            with self._db.read() as tx:
                found = self._volumes.find(tx, ctxt, volume_id)
        except errors.NotFound:
            raise errors.VolumeNotFound(volume_id=volume_id) from None
        return self._shown([found])[0]

    def search(self, ctxt: RequestContext) -> list[VolumeMeta]:
        """List the volumes of a project."""
        with self._db.read() as tx:
            found = VOLUMES.search(tx, project_id=[ctxt.project_id])
        return self._shown(found)

    def _shown(self, found: Sequence[Volume]) -> list[VolumeMeta]:
        attached: dict[str, list[tuple[str, str | None]]] = {}
        with self._db.read() as tx:
            types = {each.id: each.name for each in TYPES.search(tx)}
            for each in ATTACHMENTS.search(tx, volume_id=[it.id for it in found], status=[ATTACHED]):
                attached.setdefault(each.volume_id, []).append((each.instance_uuid or "", each.mountpoint))
        return [
            VolumeMeta(
                id=it.id, size=it.size, status=it.status, bootable=it.bootable, multiattach=it.multiattach,
                image_metadata=it.image_metadata, name=it.name, description=it.description,
                type_name=types.get(it.volume_type_id), snapshot_id=it.snapshot_id, metadata=it.metadata,
                availability_zone=it.availability_zone, created_at=it.created_at,
                attached=tuple(attached.get(it.id, ())),
            )
            for it in found
        ]  # fmt: skip

    def make(self, ctxt: RequestContext, said: Mapping[str, Any]) -> VolumeMeta:
        """Make a volume as a user asks for it."""
        checked({"metadata": said.get("metadata", {})}, METADATA)
        more = {name: value for name, value in said.items() if name not in ("size", "volume_type")}
        made = self._volumes.create(ctxt, more, said.get("size"), type=said.get("volume_type"))
        return self._shown([made])[0]

    def get_snapshot(self, ctxt: RequestContext, snapshot_id: str) -> SnapshotMeta:
        """Read one snapshot."""
        with self._db.read() as tx:
            return _snapshot(self._volumes.find_snapshot(tx, ctxt, snapshot_id))

    def snapshots(self, ctxt: RequestContext) -> list[SnapshotMeta]:
        """List the snapshots of a project."""
        with self._db.read() as tx:
            return [_snapshot(it) for it in SNAPSHOTS.search(tx, project_id=[ctxt.project_id])]

    def get_type(self, ctxt: RequestContext, name: str) -> str:
        """Name a type of volumes."""
        with self._db.read() as tx:
            return find_type(tx, ctxt, name).name

    def create(
        self, ctxt: RequestContext, volume_id: str, name: str, asked: BlockDeviceMapping, image: ImageMeta | None
    ) -> None:
        """Make the volume that a new server asks for."""
        with self._db.read() as tx:
            if VOLUMES.search(tx, id=[volume_id]):
                return
        snapshot_id = asked.source_id if asked.source_type == "snapshot" else None
        said = {"id": volume_id, "name": name, "description": "", "snapshot_id": snapshot_id}
        self._volumes.create(ctxt, said, asked.volume_size, type=asked.volume_type, image=image)

    def reserve(self, ctxt: RequestContext, volume_id: str, instance_uuid: str, attachment_id: str) -> None:
        """Keep a volume for a server."""
        try:
            self._attachments.create(ctxt, volume_id, instance_uuid, id=attachment_id)
        except errors.NotFound:
            raise errors.VolumeNotFound(volume_id=volume_id) from None

    def is_reserved(self, attachment_id: str) -> bool:
        """Tell whether there is an attachment."""
        with self._db.read() as tx:
            return bool(ATTACHMENTS.search(tx, id=[attachment_id]))

    def reimage(self, ctxt: RequestContext, volume_id: str, attachment_id: str, image: ImageMeta) -> None:
        """Write an image over a volume that a server keeps."""
        self._attachments.reimage(ctxt, attachment_id, image)

    def complete(self, attachment_id: str, host: str, device_name: str) -> None:
        """Say that the server, on this host, has the volume."""
        self._attachments.connect(service_context(), attachment_id, {"host": host, "mountpoint": device_name})
        self._attachments.complete(service_context(), attachment_id)

    def keep(self, attachment_id: str) -> None:
        """Say that the server is on no host, and keeps the volume."""
        self._attachments.keep(service_context(), attachment_id)

    def release(self, attachment_id: str) -> None:
        """End an attachment."""
        with suppress(errors.NotFound):
            self._attachments.delete(service_context(), attachment_id, by_nova=True)

    def take_snapshot(
        self, ctxt: RequestContext, volume_id: str, name: str | None, description: str | None = None, *, force: bool
    ) -> SnapshotMeta:
        """Take a snapshot of a volume."""
        said = {"name": name, "description": description}
        return _snapshot(self._volumes.snapshot(ctxt, volume_id, said, force=force))

    def delete_snapshot(self, ctxt: RequestContext, snapshot_id: str) -> None:
        """Delete a snapshot."""
        self._volumes.delete_snapshot(ctxt, snapshot_id)

    def begin_detaching(self, ctxt: RequestContext, volume_id: str) -> None:
        """Say that a server is about to lose a volume; one of several that has it changes nothing for the others."""
        with self._db.read() as tx:
            several = len(ATTACHMENTS.search(tx, volume_id=[volume_id])) > 1
        if not several:
            self._attachments.begin_detaching(ctxt, volume_id)

    def roll_detaching(self, volume_id: str) -> None:
        """Say that it keeps it after all."""
        with self._db.read() as tx:
            begun = self._volumes.find(tx, service_context(), volume_id).status == DETACHING
        if begun:
            self._attachments.roll_detaching(service_context(), volume_id)

    def delete(self, ctxt: RequestContext, volume_id: str) -> None:
        """Delete a volume."""
        try:
            self._volumes.delete(ctxt, volume_id)
        except errors.NotFound:
            raise errors.VolumeNotFound(volume_id=volume_id) from None


def _snapshot(it: Snapshot) -> SnapshotMeta:
    return SnapshotMeta(
        id=it.id, volume_id=it.volume_id, size=it.size, status=it.status, name=it.name, description=it.description,
        created_at=it.created_at,
    )  # fmt: skip


def volume_service(parts: Parts) -> VolumeService:
    """Make the volume service of an api or a conductor."""
    return VolumeService(parts.db)
