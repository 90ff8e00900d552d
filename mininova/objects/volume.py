"""A volume as Nova knows it, that an instance has it, and the disks that a new instance asks for."""

from datetime import datetime

import msgspec

from mininova.objects.base import Versioned


class VolumeMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What Nova asks of a volume; it travels in no message.

    :param size: GiB
    :param multiattach: whether several instances may have it at a time
    :param attached: the uuids of the instances that have it, and how each calls the disk
    """

    id: str
    size: int
    status: str
    bootable: bool = False
    multiattach: bool = False
    image_metadata: dict[str, str] = {}
    name: str | None = None
    description: str | None = None
    type_name: str | None = None
    snapshot_id: str | None = None
    availability_zone: str = ""
    metadata: dict[str, str] = {}
    created_at: datetime
    attached: tuple[tuple[str, str | None], ...] = ()


class SnapshotMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What Nova asks of a volume's snapshot; it travels in no message.

    :param size: GiB
    """

    id: str
    volume_id: str
    size: int
    status: str
    name: str | None = None
    description: str | None = None
    created_at: datetime


class BlockDeviceMapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A disk that a new instance asks for; it travels in no message.

    :param source_type: what it is made from: ``image``, ``volume``, ``snapshot`` or ``blank``
    :param destination_type: where it is: ``local``, on the host, or ``volume``
    :param source_id: of the image, the volume or the snapshot
    :param boot_index: 0 for the disk that the instance boots from; None, or less, for one that it does not boot from
    :param volume_size: GiB; for a local swap disk MiB
    :param no_device: whether it only takes the place of a disk that the image asks for
    """

    source_type: str = ""
    destination_type: str | None = None
    source_id: str = ""
    boot_index: int | None = None
    volume_size: int | None = None
    volume_type: str | None = None
    delete_on_termination: bool = False
    device_name: str | None = None
    tag: str | None = None
    guest_format: str | None = None
    disk_bus: str | None = None
    device_type: str | None = None
    no_device: bool = False

    @property
    def is_root(self) -> bool:
        """Whether the instance boots from it."""
        return self.boot_index == 0

    @property
    def is_volume(self) -> bool:
        """Whether it is a volume, and not a disk of the host."""
        return self.destination_type == "volume"

    @property
    def makes_volume(self) -> bool:
        """Whether its volume is made for the instance."""
        return self.is_volume and self.source_type != "volume"

    @property
    def is_swap(self) -> bool:
        """Whether it is swap space on the host."""
        return self.is_blank_local and self.guest_format == "swap"

    @property
    def is_blank_local(self) -> bool:
        """Whether it is an empty disk of the host."""
        return self.source_type == "blank" and self.destination_type == "local"


class BlockDevice(Versioned, frozen=True, kw_only=True):
    """That an instance has a volume, as its host is told.

    :param attachment_id: what the volume service calls it
    :param device_name: how the guest calls the disk, ``/dev/vdb``
    """

    uuid: str
    instance_uuid: str
    volume_id: str
    attachment_id: str
    device_name: str
