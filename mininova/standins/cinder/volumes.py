"""What may be done with volumes and snapshots; whatever is asked is done at once, as there is no data to move."""

from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection, Database
from mininova.objects import ImageMeta
from mininova.standins.cinder import policy, quotas
from mininova.standins.cinder.db.things import (
    ATTACHMENTS,
    AVAILABLE,
    ERROR,
    IN_USE,
    RESERVED,
    SNAPSHOTS,
    TYPES,
    VOLUMES,
    Snapshot,
    Volume,
    VolumeType,
)  # fmt: skip
from mininova.standins.cinder.documents import ZONE

GIB = 1024**3
DEFAULT_TYPE = "__DEFAULT__"

# The states in which a volume is deleted, and those that an administrator can say it is in.
DELETABLE = (AVAILABLE, ERROR, "error_restoring", "error_extending", "error_managing")
# Those in which an image is written over it; a reserved one only where the caller says so.
REIMAGED = (AVAILABLE, ERROR)
REIMAGED_RESERVED = (*REIMAGED, RESERVED)
STATES = (
    AVAILABLE, ERROR, IN_USE, "creating", "deleting", "error_deleting", "attaching", "detaching", RESERVED,
    "maintenance",
)  # fmt: skip


class Volumes:
    """Reads and changes volumes and snapshots, as far as the caller may."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # ---- volumes

    def find(self, tx: Connection, ctxt: RequestContext, id: str, *, lock: bool = False) -> Volume:
        """Find a volume that a caller sees.

        :raises errors.NotFound: when there is none
        """
        found = VOLUMES.get(tx, id, lock=lock)
        if policy.viewer(ctxt) not in (None, found.project_id):
            raise VOLUMES.missing(id)
        return found

    def create(
        self, ctxt: RequestContext, said: Mapping[str, Any], size: int | None, *,
        type: str | None = None, image: ImageMeta | None = None,
    ) -> Volume:  # fmt: skip
        """Make a volume: of nothing, of an image, of a snapshot or of another volume.

        :param said: its columns, as far as the caller says them
        :param size: GiB; None for that of the snapshot or the other volume
        :param type: the name or the id of its type
        :raises errors.InvalidInput: naming what does not go together
        :raises errors.OverLimit: when the project would have more than it may
        """
        policy.require_member(ctxt, "volume:create")
        project = ctxt.project_id or ""
        zone = said.get("availability_zone") or ZONE
        if zone != ZONE:
            raise errors.InvalidInput(f"Invalid input received: Availability zone '{zone}' is invalid.")
        with self.db.write() as tx:
            origin = self._origin(tx, ctxt, said)
            size = _size(size, origin, image)
            kind = self._type(tx, ctxt, type, origin)
            quotas.require_small(tx, project, size)
            quotas.require_room(tx, project, kind, size)
            made = {
                **said,
                "project_id": project,
                "user_id": ctxt.user_id or "",
                "size": size,
                "volume_type_id": kind.id,
                "multiattach": kind.multiattach,
                "availability_zone": zone,
                **_contents(origin, image),
            }
            return VOLUMES.create(tx, made)

    def _origin(self, tx: Connection, ctxt: RequestContext, said: Mapping[str, Any]) -> Volume | None:
        """Find the volume that a new one is a copy of, in the size it had when a snapshot was taken."""
        if said.get("source_volid"):
            return self.find(tx, ctxt, said["source_volid"])
        if not said.get("snapshot_id"):
            return None
        taken = self.find_snapshot(tx, ctxt, said["snapshot_id"])
        if taken.status != AVAILABLE:
            raise errors.InvalidInput(
                f"Invalid snapshot: Originating snapshot status must be one of '{AVAILABLE}' values"
            )
        return VOLUMES.struct(**{**_columns(VOLUMES.get(tx, taken.volume_id)), "size": taken.size})

    @staticmethod
    def _type(tx: Connection, ctxt: RequestContext, asked: str | None, origin: Volume | None) -> VolumeType:
        if asked is None and origin is not None:
            return TYPES.get(tx, origin.volume_type_id)
        return find_type(tx, ctxt, asked or DEFAULT_TYPE)

    def update(self, ctxt: RequestContext, id: str, said: Mapping[str, Any]) -> Volume:
        """Change what is said of a volume."""
        return self.change(ctxt, id, "volume:update", lambda tx, volume: said)

    def change(
        self, ctxt: RequestContext, id: str, action: str, of: Callable[[Connection, Volume], Mapping[str, Any]]
    ) -> Volume:
        """Change a volume, while others wait.

        :param of: gives the new columns of the volume as it is; what it raises leaves everything as it was
        """
        policy.require_member(ctxt, action)
        with self.db.write() as tx:
            volume = self.find(tx, ctxt, id, lock=True)
            return VOLUMES.update(tx, volume, **of(tx, volume))

    def delete(self, ctxt: RequestContext, id: str, *, cascade: bool = False, force: bool = False) -> None:
        """Delete a volume.

        :param cascade: with its snapshots
        :param force: in whatever state it is
        :raises errors.InvalidInput: when a server has it, or it has snapshots
        """
        policy.require_member(ctxt, "volume:delete")
        with self.db.write() as tx:
            volume = self.find(tx, ctxt, id, lock=True)
            taken, attached = SNAPSHOTS.search(tx, volume_id=[id]), ATTACHMENTS.search(tx, volume_id=[id])
            if attached or (taken and not cascade) or (volume.status not in DELETABLE and not force):
                raise errors.InvalidInput(
                    f"Invalid volume: Volume status must be {' or '.join(DELETABLE)} and must not be migrating, "
                    "attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from "
                    "snapshots after volume transfer."
                )
            for snapshot in taken:
                SNAPSHOTS.delete(tx, snapshot)
            VOLUMES.delete(tx, volume)

    def extend(self, ctxt: RequestContext, id: str, size: int, *, in_use: bool) -> Volume:
        """Make a volume larger.

        :param in_use: whether it may be done while a server has it
        """

        def larger(tx: Connection, volume: Volume) -> Mapping[str, Any]:
            expected = (AVAILABLE, IN_USE) if in_use else (AVAILABLE,)
            require_status(volume, expected, "extend")
            if size <= volume.size:
                raise errors.InvalidInput(
                    "Invalid input received: New size for extend must be greater than current size. "
                    f"(current: {volume.size}, extended: {size})."
                )
            quotas.require_small(tx, volume.project_id, size)
            kind = TYPES.get(tx, volume.volume_type_id)
            quotas.require_room(tx, volume.project_id, kind, size - volume.size, "gigabytes")
            return {"size": size}

        return self.change(ctxt, id, "volume:extend", larger)

    def reimage(self, ctxt: RequestContext, id: str, image: ImageMeta, *, reserved: bool) -> None:
        """Write an image over a volume.

        :param reserved: whether also over one that is reserved for a server
        """
        policy.require_member(ctxt, "volume:reimage")
        with self.db.write() as tx:
            reimage(tx, self.find(tx, ctxt, id, lock=True), image, REIMAGED_RESERVED if reserved else REIMAGED)

    # ---- snapshots

    def find_snapshot(self, tx: Connection, ctxt: RequestContext, id: str, *, lock: bool = False) -> Snapshot:
        """Find a snapshot that a caller sees.

        :raises errors.NotFound: when there is none
        """
        found = SNAPSHOTS.get(tx, id, lock=lock)
        if policy.viewer(ctxt) not in (None, found.project_id):
            raise SNAPSHOTS.missing(id)
        return found

    def snapshot(self, ctxt: RequestContext, id: str, said: Mapping[str, Any], *, force: bool) -> Snapshot:
        """Take a snapshot of a volume.

        :param force: also while a server has it
        """
        policy.require_member(ctxt, "volume:create_snapshot")
        with self.db.write() as tx:
            volume = self.find(tx, ctxt, id, lock=True)
            require_status(volume, (AVAILABLE, IN_USE) if force else (AVAILABLE,), "snapshot")
            kind = TYPES.get(tx, volume.volume_type_id)
            quotas.require_room(tx, volume.project_id, kind, volume.size, "snapshots")
            whose = {"project_id": volume.project_id, "user_id": ctxt.user_id or ""}
            return SNAPSHOTS.create(tx, {**said, **whose, "volume_id": id, "size": volume.size})

    def update_snapshot(
        self, ctxt: RequestContext, id: str, action: str, of: Callable[[Snapshot], Mapping[str, Any]]
    ) -> Snapshot:
        """Change what is said of a snapshot."""
        policy.require_member(ctxt, action)
        with self.db.write() as tx:
            snapshot = self.find_snapshot(tx, ctxt, id, lock=True)
            return SNAPSHOTS.update(tx, snapshot, **of(snapshot))

    def delete_snapshot(self, ctxt: RequestContext, id: str, *, force: bool = False) -> None:
        """Delete a snapshot.

        :raises errors.InvalidInput: when it is in no state for that
        """
        policy.require_member(ctxt, "volume:delete_snapshot")
        with self.db.write() as tx:
            snapshot = self.find_snapshot(tx, ctxt, id, lock=True)
            if not force and snapshot.status not in (AVAILABLE, ERROR):
                raise errors.InvalidInput(
                    "Invalid snapshot: Snapshot status must be available or error, and snapshot must not be part of a "
                    f"group: it is {snapshot.status}."
                )
            SNAPSHOTS.delete(tx, snapshot)


def find_type(tx: Connection, ctxt: RequestContext, asked: str) -> VolumeType:
    """Find a type of volumes by its id or its name.

    :raises errors.NotFound: when there is none that the caller sees
    """
    for type_ in TYPES.search(tx):
        if asked in (type_.id, type_.name) and sees_type(ctxt, type_):
            return type_
    raise errors.NotFound(f"Volume type with name {asked} could not be found.")


def sees_type(ctxt: RequestContext, type_: VolumeType) -> bool:
    """Tell whether a caller sees a type of volumes: administrators alone see those that are not public."""
    return type_.is_public or ctxt.is_admin


def reimage(tx: Connection, volume: Volume, image: ImageMeta, expected: tuple[str, ...]) -> None:
    """Write an image over a volume, which is in the state afterwards that it was in.

    :raises errors.InvalidInput: when it is in none of these states, or the image does not fit on it
    """
    require_status(volume, expected, "reimage")
    _require_fit(volume.size, image)
    VOLUMES.update(tx, volume, **_contents(None, image))


def require_status(volume: Volume, expected: tuple[str, ...], what: str) -> None:
    """Refuse what is not done to a volume in its state.

    :raises errors.InvalidInput: naming the state
    """
    if volume.status not in expected:
        raise errors.InvalidInput(
            f"Invalid volume: Volume {volume.id} status must be {' or '.join(expected)} to {what}, but current status "
            f"is: {volume.status}."
        )


def _size(asked: int | None, origin: Volume | None, image: ImageMeta | None) -> int:
    """Give the size of a new volume: what is asked, which must hold what goes into it."""
    size = asked if asked is not None or origin is None else origin.size
    if not size:
        raise errors.InvalidInput(f"Invalid input received: Volume size '{size}' must be an integer and greater than 0")
    if origin is not None and size < origin.size:
        raise errors.InvalidInput(
            f"Invalid input received: Volume size '{size}'GB cannot be smaller than original volume size  "
            f"{origin.size}GB. They must be >= original volume size."
        )
    if image is not None:
        _require_fit(size, image)
    return size


def _require_fit(size: int, image: ImageMeta) -> None:
    """Refuse an image without data, or one that a volume of so many GiB cannot hold."""
    if image.status != "active":
        raise errors.InvalidInput(f"Invalid input received: Image {image.id} is not active.")
    needed = -(-(image.size or 0) // GIB)
    if size < needed:
        raise errors.InvalidInput(
            f"Invalid input received: Size of specified image {needed}GB is larger than volume size {size}GB."
        )
    if size < image.min_disk:
        raise errors.InvalidInput(
            f"Invalid input received: Volume size {size}GB cannot be smaller than the image minDisk size "
            f"{image.min_disk}GB."
        )


def _contents(origin: Volume | None, image: ImageMeta | None) -> dict[str, Any]:
    if image is not None:
        about = {
            "image_id": image.id, "image_name": image.name, "min_disk": str(image.min_disk),
            "min_ram": str(image.min_ram), "size": str(image.size or 0),
        }  # fmt: skip
        return {"bootable": True, "image_metadata": {**image.properties, **about}}
    if origin is not None:
        return {"bootable": origin.bootable, "image_metadata": origin.image_metadata}
    return {}


def _columns(volume: Volume) -> dict[str, Any]:
    return {name: getattr(volume, name) for name in volume.__struct_fields__}
