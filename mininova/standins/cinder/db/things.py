"""Volumes, snapshots, types and attachments: how their rows are made, read, changed and deleted, all alike."""

from sqlalchemy import Connection, func, select

from mininova.db.kinds import Kind, Thing
from mininova.db.project_limits import ProjectLimits
from mininova.standins.cinder.db.models import attachments, quotas, snapshots, volume_types, volumes

AVAILABLE, ERROR, IN_USE, RESERVED = "available", "error", "in-use", "reserved"
ATTACHING, ATTACHED, DETACHING = "attaching", "attached", "detaching"


class VolumeType(Thing, frozen=True, kw_only=True):
    """A kind of volumes; its extra specs say what those can."""

    name: str
    description: str | None = None
    is_public: bool = True
    extra_specs: dict[str, str] = {}

    @property
    def multiattach(self) -> bool:
        """Whether several servers may have a volume of it at a time."""
        return self.extra_specs.get("multiattach") == "<is> True"


class Volume(Thing, frozen=True, kw_only=True):
    """A volume.

    :param size: GiB
    :param image_metadata: of the image it was made from, its id and its name among them
    """

    project_id: str
    user_id: str
    size: int
    volume_type_id: str
    name: str | None = None
    description: str | None = None
    status: str = AVAILABLE
    bootable: bool = False
    readonly: bool = False
    multiattach: bool = False
    availability_zone: str
    snapshot_id: str | None = None
    source_volid: str | None = None
    image_metadata: dict[str, str] = {}
    metadata: dict[str, str] = {}


class Snapshot(Thing, frozen=True, kw_only=True):
    """What a volume was at a time."""

    project_id: str
    user_id: str
    volume_id: str
    size: int
    name: str | None = None
    description: str | None = None
    status: str = AVAILABLE
    metadata: dict[str, str] = {}


class Attachment(Thing, frozen=True, kw_only=True):
    """That a server has a volume, or is to have it.

    :param instance_uuid: None where a host has it for itself
    :param status: reserved, attaching, attached or detaching
    :param host: the host that the server is on, once that has asked for the connection
    :param mountpoint: how the server calls the disk, ``/dev/vdb``
    """

    project_id: str
    volume_id: str
    instance_uuid: str | None = None
    status: str = RESERVED
    host: str | None = None
    mountpoint: str | None = None
    mode: str | None = None


TYPES = Kind(VolumeType, volume_types, "Volume type", latest_first=True)
VOLUMES = Kind(Volume, volumes, "Volume", latest_first=True)
SNAPSHOTS = Kind(Snapshot, snapshots, "Snapshot", latest_first=True)
ATTACHMENTS = Kind(Attachment, attachments, "Volume attachment", latest_first=True)
LIMITS = ProjectLimits(quotas)


# ---- how much a project has


def used(tx: Connection, project_id: str, volume_type_id: str | None = None) -> dict[str, int]:
    """Count the volumes and snapshots of a project, and their GiB.

    :param volume_type_id: only those of this type
    """
    of_volumes = select(func.count(), func.coalesce(func.sum(volumes.c.size), 0)).select_from(volumes)
    of_snapshots = select(func.count(), func.coalesce(func.sum(snapshots.c.size), 0)).select_from(snapshots)
    of_volumes = of_volumes.where(volumes.c.project_id == project_id)
    of_snapshots = of_snapshots.where(snapshots.c.project_id == project_id)
    if volume_type_id is not None:
        of_volumes = of_volumes.where(volumes.c.volume_type_id == volume_type_id)
        of_snapshots = of_snapshots.join(volumes, volumes.c.id == snapshots.c.volume_id)
        of_snapshots = of_snapshots.where(volumes.c.volume_type_id == volume_type_id)
    (count, size), (taken, kept) = tx.execute(of_volumes).one(), tx.execute(of_snapshots).one()
    return {"volumes": count, "snapshots": taken, "gigabytes": int(size) + int(kept)}
