"""What the services of Nova ask of a volume service: the api and a conductor, each of the one that is configured.

``volume_service`` of ``[app:compute_app]`` in api-paste.ini names who answers, as it does for images
(mininova/service/images.py).  An attachment has an id that Nova chooses, so that what was asked twice is done once.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import BlockDeviceMapping, ImageMeta, SnapshotMeta, VolumeMeta
from mininova.service.images import named

if TYPE_CHECKING:
    from mininova.wsgi import Parts

SETTING = "volume_service"


class VolumeService(Protocol):
    """Knows the volumes that a server can have, and who has them."""

    def get(self, ctxt: RequestContext, volume_id: str) -> VolumeMeta:
        """Read one volume.

        :raises errors.VolumeNotFound: when there is none that the requester may use
        """
        ...

    def search(self, ctxt: RequestContext) -> list[VolumeMeta]:
        """List the volumes of the requester's project."""
        ...

    def make(self, ctxt: RequestContext, said: Mapping[str, Any]) -> VolumeMeta:
        """Make a volume as a user asks for it.

        :param said: of the fields of the Block Storage API: ``name``, ``size``, ``snapshot_id`` and the like
        :raises errors.NotFound: when there is no such snapshot or type
        :raises errors.InvalidInput: when they do not go together
        :raises errors.OverLimit: when the project would have more than it may
        """
        ...

    def snapshots(self, ctxt: RequestContext) -> list[SnapshotMeta]:
        """List the snapshots of the requester's project."""
        ...

    def get_snapshot(self, ctxt: RequestContext, snapshot_id: str) -> SnapshotMeta:
        """Read one snapshot of a volume.

        :raises errors.NotFound: when there is none that the requester may use
        """
        ...

    def get_type(self, ctxt: RequestContext, name: str) -> str:
        """Name a type of volumes that is known by its name or its id.

        :raises errors.NotFound: when there is none
        """
        ...

    def create(
        self, ctxt: RequestContext, volume_id: str, name: str, asked: BlockDeviceMapping, image: ImageMeta | None
    ) -> None:
        """Make the volume that a new server asks for; one that is there is left as it is.

        :param image: that it is made from, if from one
        :raises errors.NotFound: when there is no such snapshot or type
        :raises errors.InvalidInput: when they do not go together
        :raises errors.OverLimit: when the project would have more than it may
        """
        ...

    def reserve(self, ctxt: RequestContext, volume_id: str, instance_uuid: str, attachment_id: str) -> None:
        """Keep a volume for a server.

        :raises errors.VolumeNotFound: when there is none that the requester may use
        :raises errors.InvalidInput: when it is in no state for that, or another server has it
        """
        ...

    def is_reserved(self, attachment_id: str) -> bool:
        """Tell whether there is an attachment."""
        ...

    def reimage(self, ctxt: RequestContext, volume_id: str, attachment_id: str, image: ImageMeta) -> None:
        """Write an image over a volume that a server keeps, and that is on no host meanwhile; it may be asked twice.

        :raises errors.NotFound: when the attachment is gone
        :raises errors.InvalidInput: when the image has no data or is too large, or another server has the volume, too
        """
        ...

    def complete(self, attachment_id: str, host: str, device_name: str) -> None:
        """Say that the server, on this host, has the volume.

        :raises errors.NotFound: when the attachment is gone
        """
        ...

    def keep(self, attachment_id: str) -> None:
        """Say that the server is on no host, and keeps the volume, which is reserved.

        :raises errors.NotFound: when the attachment is gone
        """
        ...

    def release(self, attachment_id: str) -> None:
        """End an attachment; one that is gone is gone."""
        ...

    def take_snapshot(
        self, ctxt: RequestContext, volume_id: str, name: str | None, description: str | None = None, *, force: bool
    ) -> SnapshotMeta:
        """Take a snapshot of a volume.

        :param force: also while a server has it
        :raises errors.NotFound: when there is no such volume
        :raises errors.InvalidInput: when it is in no state for that
        :raises errors.OverLimit: when the project would have more than it may
        """
        ...

    def delete_snapshot(self, ctxt: RequestContext, snapshot_id: str) -> None:
        """Delete a snapshot.

        :raises errors.NotFound: when there is none
        """
        ...

    def begin_detaching(self, ctxt: RequestContext, volume_id: str) -> None:
        """Say that a server is about to lose a volume.

        :raises errors.InvalidInput: when it is in no state for that
        """
        ...

    def roll_detaching(self, volume_id: str) -> None:
        """Say that it keeps it after all; where nothing had begun, nothing changes."""
        ...

    def delete(self, ctxt: RequestContext, volume_id: str) -> None:
        """Delete a volume.

        :raises errors.VolumeNotFound: when there is none that the requester may use
        :raises errors.InvalidInput: when it is in no state for that
        """
        ...


class NoVolumes:
    """The volume service of a cloud without one."""

    def get(self, ctxt: RequestContext, volume_id: str) -> VolumeMeta:
        """Find no volume."""
        raise errors.VolumeNotFound(volume_id=volume_id)

    def search(self, ctxt: RequestContext) -> list[VolumeMeta]:
        """Find none."""
        return []

    def snapshots(self, ctxt: RequestContext) -> list[SnapshotMeta]:
        """Find none."""
        return []

    def get_snapshot(self, ctxt: RequestContext, snapshot_id: str) -> SnapshotMeta:
        """Find no snapshot."""
        raise errors.NotFound(f"Snapshot {snapshot_id} could not be found.")

    def get_type(self, ctxt: RequestContext, name: str) -> str:
        """Find no type."""
        raise errors.NotFound(f"Volume type {name} could not be found.")

    def __getattr__(self, name: str) -> Any:
        """Refuse all else."""
        raise errors.NotSupported("There is no volume service.")


def volume_service(name: str | None, parts: "Parts") -> VolumeService:
    """Make the volume service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: VolumeService = named(SETTING, name)(parts) if name else NoVolumes()
    return service
