"""How Nova, in the same process, asks for volumes: by a query, where a real Cinder is asked over HTTP.

``volume_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from contextlib import suppress

from mininova import errors
from mininova.context import RequestContext, service_context
from mininova.db.session import Database
from mininova.objects import VolumeMeta
from mininova.standins.cinder.attachments import Attachments
from mininova.standins.cinder.db.things import ATTACHMENTS, DETACHING
from mininova.standins.cinder.volumes import Volumes
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
        return VolumeMeta(
            id=found.id, size=found.size, status=found.status, bootable=found.bootable,
            multiattach=found.multiattach, image_metadata=found.image_metadata,
        )  # fmt: skip

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

    def complete(self, attachment_id: str, host: str, device_name: str) -> None:
        """Say that the server, on this host, has the volume."""
        self._attachments.connect(service_context(), attachment_id, {"host": host, "mountpoint": device_name})
        self._attachments.complete(service_context(), attachment_id)

    def release(self, attachment_id: str) -> None:
        """End an attachment."""
        with suppress(errors.NotFound):
            self._attachments.delete(service_context(), attachment_id, by_nova=True)

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

    def delete(self, volume_id: str) -> None:
        """Delete a volume."""
        with suppress(errors.NotFound):
            self._volumes.delete(service_context(), volume_id)


def volume_service(parts: Parts) -> VolumeService:
    """Make the volume service of an api or a conductor."""
    return VolumeService(parts.db)
