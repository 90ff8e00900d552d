"""Volumes, snapshots, types and attachments: how their rows are made, read, changed and deleted, all alike."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.rows import Rows
from mininova.standins.cinder.db.models import attachments, quotas, snapshots, volume_types, volumes

AVAILABLE, ERROR, IN_USE, RESERVED = "available", "error", "in-use", "reserved"
ATTACHING, ATTACHED, DETACHING = "attaching", "attached", "detaching"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What the service keeps."""

    id: str
    created_at: datetime
    updated_at: datetime


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


T = TypeVar("T", bound=Thing)


class Kind(Generic[T]):
    """The rows of one kind of thing.

    :param what: its name in a message
    """

    def __init__(self, struct: type[T], table: Table, what: str) -> None:
        self.struct, self.table, self.what = struct, table, what
        self._rows = Rows(struct, table, key="id")

    def search(self, tx: Connection, **among: Collection[str | None] | None) -> list[T]:
        """List them, the latest first.

        :param among: column → the values that it may have; None means any
        """
        query = self._rows.select.order_by(self.table.c.created_at.desc(), self.table.c.id.desc())
        for column, values in among.items():
            if values is not None:
                query = query.where(self.table.c[column].in_(list(values)))
        return self._rows.all(tx.execute(query))

    def get(self, tx: Connection, id: str, *, lock: bool = False) -> T:
        """Read one.

        :param lock: keep others from changing it until the end of the transaction
        :raises errors.NotFound: when there is none
        """
        query = self._rows.one.with_for_update() if lock else self._rows.one
        found = self._rows.first(tx.execute(query, {"which": id}))
        if found is None:
            raise self.missing(id)
        return found

    def missing(self, id: str) -> errors.NotFound:
        """Make the error of one that is not there, or not the caller's to see."""
        return errors.NotFound(f"{self.what} {id} could not be found.")

    def create(self, tx: Connection, said: Mapping[str, Any]) -> T:
        """Make one."""
        now = datetime.now(UTC)
        made = self.struct(**{"id": str(uuid4()), **said, "created_at": now, "updated_at": now})
        tx.execute(insert(self.table), self._rows.values(made))
        return made

    def update(self, tx: Connection, thing: T, **said: Any) -> T:
        """Change what is said of one."""
        changed = {**said, "updated_at": datetime.now(UTC)}
        tx.execute(update_of(self.table).where(self.table.c.id == thing.id), changed)
        return msgspec.structs.replace(thing, **changed)

    def delete(self, tx: Connection, thing: T) -> None:
        """Delete one."""
        tx.execute(delete_from(self.table).where(self.table.c.id == thing.id))


TYPES = Kind(VolumeType, volume_types, "Volume type")
VOLUMES = Kind(Volume, volumes, "Volume")
SNAPSHOTS = Kind(Snapshot, snapshots, "Snapshot")
ATTACHMENTS = Kind(Attachment, attachments, "Volume attachment")


# ---- how much a project may have, and has


def limits(tx: Connection, project_id: str) -> dict[str, int]:
    """Read what a project may have beside the defaults."""
    found: dict[str, int] | None = tx.scalar(select(quotas.c.limits).where(quotas.c.project_id == project_id))
    return found or {}


def limit(tx: Connection, project_id: str, limits: Mapping[str, int]) -> None:
    """Write what a project may have, instead of all that was said before."""
    tx.execute(delete_from(quotas).where(quotas.c.project_id == project_id))
    if limits:
        tx.execute(insert(quotas), {"project_id": project_id, "limits": dict(limits)})


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
