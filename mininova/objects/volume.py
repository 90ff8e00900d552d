"""A volume as Nova knows it, and that an instance has it."""

import msgspec

from mininova.objects.base import Versioned


class VolumeMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What Nova asks of a volume; it travels in no message.

    :param size: GiB
    :param multiattach: whether several instances may have it at a time
    """

    id: str
    size: int
    status: str
    bootable: bool = False
    multiattach: bool = False
    image_metadata: dict[str, str] = {}


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
