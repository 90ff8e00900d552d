"""What is done otherwise to a server that boots from a volume: its disk is not its host's.

As in Nova, such a server is rebuilt from another image than that of its volume since 2.93 only: then a conductor has
the image written to the volume (conductor/volumes.py).  Its backup is refused.  An image of it has no data: its
properties name snapshots of its volumes, and a server that boots from it gets volumes of those (block_devices.py).
"""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from mininova import errors, states
from mininova.api.block_devices import IN_IMAGE, IN_IMAGE_V2
from mininova.api.request import ComputeRequest
from mininova.db import actions
from mininova.db.block_devices import Recorded
from mininova.objects import Arguments, BlockDeviceMapping, ImageMeta, Instance

LOG = logging.getLogger(__name__)

Json = dict[str, Any]

# What an image must say of itself so that a server which boots from a volume can be rescued with it.
STABLE_RESCUE = frozenset({"hw_rescue_bus", "hw_rescue_device"})
# What a snapshot's disk has from the disk that it was taken of (nova: block_device.py, snapshot_from_bdm).
KEPT = ("boot_index", "device_type", "disk_bus")
IN_USE = "in-use"  # the status of a volume that a server has


def plan_rebuild(
    request: ComputeRequest, instance: Instance, image: ImageMeta
) -> tuple[BlockDeviceMapping | None, Arguments]:
    """Say what a rebuild does with the volumes of a server: since 2.93 it writes the image to the one it boots from.

    :return: that volume as a disk of its size, None where it boots from no volume; and what the operation is asked with
    :raises errors.InvalidInput: when the image is another than that of the volume, before 2.93; or when a volume is not
        in use, for then it could not be attached again
    """
    root, reimages, has = None, request.api_version >= (2, 93), request.cloud.attachments.of(instance)
    for it in has:
        volume = request.cloud.attachments.volumes().get(request.context, it.volume_id)
        if it.is_root and not reimages and volume.image_metadata.get("image_id") != image.id:
            raise errors.InvalidInput("Unable to rebuild with a different image for a volume-backed server.")
        if volume.status != IN_USE:
            problem = f"volume '{volume.id}' status must be '{IN_USE}'. Currently in '{volume.status}' status"
            raise errors.InvalidVolume(reason=problem)
        if it.is_root:
            root = BlockDeviceMapping(source_type="volume", destination_type="volume", volume_size=volume.size)
    return root, Arguments(image=image, has_volumes=bool(has), reimages=root is not None and reimages)


def require_rescuable(request: ComputeRequest, instance: Instance, image: ImageMeta) -> None:
    """Refuse to rescue a server that boots from a volume: before 2.87, and with an image that is not made for it.

    :raises errors.InvalidInput: when it does
    """
    if request.api_version >= (2, 87) and image.properties.keys() >= STABLE_RESCUE:
        return
    if request.cloud.attachments.root_of(instance) is not None:
        reason = "Cannot rescue a volume-backed instance"
        raise errors.InvalidInput(f"Instance {instance.uuid} cannot be rescued: {reason}")


def image_properties(request: ComputeRequest, instance: Instance, name: str) -> Json:
    """Take a snapshot of each volume of a server; give the properties by which an image names them.

    :raises errors.OverLimit: when the project would have too many; then none is left
    """
    ctxt, volumes = request.context, request.cloud.attachments.volumes()
    taken: list[tuple[Recorded, str]] = []
    try:
        for it in request.cloud.attachments.of(instance):
            taken.append((it, volumes.take_snapshot(ctxt, it.volume_id, f"snapshot for {name}", force=True).id))
    except errors.MininovaError:
        _discard(request, [snapshot_id for _, snapshot_id in taken])
        raise
    disks = [_disk(it, snapshot_id) for it, snapshot_id in taken]
    written = msgspec.json.encode(disks).decode()
    return {"root_device_name": instance.root_device_name, IN_IMAGE_V2: "True", IN_IMAGE: written}


def complete(request: ComputeRequest, instance: Instance, image_id: str) -> None:
    """Give the image of such a server its data, which is none, and record that it was made."""
    request.cloud.images.upload(request.context, image_id, b"", {})
    with request.cloud.db.write() as tx:
        actions.record(tx, request.context, instance.uuid, states.OPERATIONS["snapshot"].action, None)


def _disk(it: Recorded, snapshot_id: str) -> Json:
    asked = {name: getattr(it.asked, name) for name in KEPT} if it.asked is not None else {}
    return {
        "source_type": "snapshot", "destination_type": "volume", "snapshot_id": snapshot_id,
        "device_name": it.device_name, "delete_on_termination": it.delete_on_termination, **asked,
    }  # fmt: skip


def _discard(request: ComputeRequest, taken: Sequence[str]) -> None:
    for snapshot_id in taken:
        try:
            request.cloud.attachments.volumes().delete_snapshot(request.context, snapshot_id)
        except errors.MininovaError as error:
            LOG.warning("api leaves snapshot %s to its owner: %s", snapshot_id, error)
