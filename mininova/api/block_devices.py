"""The disks that POST /servers asks for: read from the body and from the image, and checked as Nova checks them.

``asked_of`` reads ``block_device_mapping_v2`` or its older form ``block_device_mapping``; ``resolved`` adds what the
image asks for itself, as an image of a server that booted from a volume does; ``require_possible`` refuses what cannot
be.  Volumes are reserved and recorded elsewhere (boot_volumes.py).  Disks of the host are checked and not recorded: a
flavor has as many as it has.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mininova import errors
from mininova.api.attachments import ROOT_DEVICE, require_sharing
from mininova.api.request import TRUE, ComputeRequest
from mininova.objects import BlockDeviceMapping, Flavor, ImageMeta
from mininova.service.volumes import VolumeService

Json = dict[str, Any]

GIB = 1024**3
IN_IMAGE, IN_IMAGE_V2 = "block_device_mapping", "bdm_v2"  # the properties by which an image asks for disks
MAX_LOCAL = 3  # disks of the host that one server has (nova: max_local_block_devices)
BUSES = frozenset({"fdc", "ide", "sata", "scsi", "usb", "virtio", "xen", "lxc", "uml"})
TYPES = frozenset({"cdrom", "disk", "floppy", "fs", "lun"})
EPHEMERAL = re.compile(r"ephemeral(\d|[1-9]\d+)")
# What a volume service keeps of an image beside its properties (nova: block_device.py).
NO_PROPERTIES = frozenset({"image_id", "image_name", "size", "checksum", "container_format", "disk_format"})
NO_SIZE = {
    "image": "Images with destination_type 'volume' need to have a non-zero size specified",
    "blank": "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size",
}


@dataclass(frozen=True)
class Asked:
    """What the body says of disks.

    :param is_old: whether in the older form, where the name of a disk says whether the server boots from it
    """

    devices: tuple[BlockDeviceMapping, ...] = ()
    is_old: bool = False


NO_DISKS = Asked()

# ---- the body


def asked_of(server: Json) -> Asked:
    """Read the body.

    :raises errors.InvalidInput: when it has both forms
    :raises errors.InvalidBlockDevice: when a disk is not described as it must be
    """
    old, new = server.get("block_device_mapping") or [], server.get("block_device_mapping_v2") or []
    if old and new:
        raise errors.InvalidInput("Using different block_device_mapping syntaxes is not allowed in the same request.")
    if old:
        return Asked(tuple(_of_old(each) for each in old), is_old=True)
    return Asked(tuple(_of_new(each, has_image=bool(server.get("imageRef"))) for each in new))


def _of_new(said: Json, *, has_image: bool) -> BlockDeviceMapping:
    read = _read(said)
    if read.no_device:
        return read
    source, uuid, local = read.source_type, said.get("uuid"), read.destination_type == "local"
    if source == "blank" and uuid:
        raise errors.InvalidBlockDevice(reason="Invalid device UUID.")
    if source != "blank" and not uuid:
        raise errors.InvalidBlockDevice(reason="Missing device UUID.")
    if not source:
        raise errors.InvalidBlockDevice(reason="Some required fields are missing")
    if local and source == "image" and not (has_image and read.is_root):
        raise errors.InvalidBlockDevice(reason="Mapping image to local is not supported.")
    if local and read.volume_type:
        raise errors.InvalidBlockDevice(reason="Specifying a volume_type with destination_type=local is not supported.")
    if source == "volume" and read.volume_type:
        raise errors.InvalidBlockDevice(reason="Specifying volume type to existing volume is not supported.")
    if local and source in ("volume", "snapshot"):
        raise errors.InvalidBlockDevice(reason=f"Mapping {source} to local is not supported.")
    return _change(read, source_id=uuid or "", destination_type=read.destination_type or _where(source))


def _where(source: str) -> str:
    return "volume" if source in ("volume", "snapshot") else "local"


def _of_old(said: Json) -> BlockDeviceMapping:
    read = _change(_read(said), boot_index=None, source_type="", destination_type=None)
    name = said.get("virtual_name") or ""
    if name == "swap" or EPHEMERAL.fullmatch(name):
        blank = {"source_type": "blank", "destination_type": "local", "delete_on_termination": True}
        return _change(read, **blank, guest_format="swap" if name == "swap" else None)
    for source in ("snapshot", "volume"):
        if uuid := said.get(f"{source}_id"):
            return _change(read, source_type=source, source_id=uuid, destination_type="volume")
    if not read.no_device:
        raise errors.InvalidBlockDevice(reason="Unrecognized legacy format.")
    return read


def _read(said: Json) -> BlockDeviceMapping:
    """Read what both forms have in common, and what is only in the newer one."""
    index, size, name = said.get("boot_index"), said.get("volume_size"), said.get("device_name")
    plain = ("source_type", "destination_type", "volume_type", "tag", "guest_format", "disk_bus", "device_type")
    return BlockDeviceMapping(
        boot_index=None if index is None else int(index),
        volume_size=None if size is None else int(size),
        delete_on_termination=_true(said.get("delete_on_termination")),
        device_name=_path(name) if name else None,
        no_device=bool(said.get("no_device")),
        **{field: said[field] for field in plain if said.get(field)},
    )


def _path(name: str) -> str:
    return name if name.startswith("/dev/") else f"/dev/{name}"


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in TRUE


def _change(it: BlockDeviceMapping, **fields: Any) -> BlockDeviceMapping:
    return msgspec.structs.replace(it, **fields)


# ---- what the image says


def image_of(request: ComputeRequest, asked: Asked) -> ImageMeta:
    """Give what is known of the image that a server without ``imageRef`` boots from, by way of a volume.

    :raises errors.InvalidBlockDevice: when it cannot be read
    :raises errors.InvalidInput: when the volume is not bootable
    """
    root = next((it for it in _with_root(asked, "") if it.is_root), None)
    if root is None or root.source_type == "blank":
        return ImageMeta(id="")
    if root.source_type == "image":
        return _image(request, root.source_id)
    volumes, volume_id = request.cloud.attachments.volumes(), root.source_id
    try:
        if root.source_type == "snapshot":
            volume_id = volumes.get_snapshot(request.context, root.source_id).volume_id
        volume = volumes.get(request.context, volume_id)
    except errors.NotFound as error:
        raise errors.InvalidBlockDevice(reason=f"failed to get {root.source_type} {root.source_id}.") from error
    if not volume.bootable:
        raise errors.InvalidInput(f"Block Device {volume_id} is not bootable.")
    about = dict(volume.image_metadata)
    min_ram, min_disk = (int(about.pop(name, None) or 0) for name in ("min_ram", "min_disk"))
    properties = {key: value for key, value in about.items() if key not in NO_PROPERTIES}
    return ImageMeta(id="", size=volume.size * GIB, min_ram=min_ram, min_disk=min_disk, properties=properties)


def _image(request: ComputeRequest, image_id: str) -> ImageMeta:
    try:
        return request.cloud.images.get(request.context, image_id)
    except errors.ImageNotFound as error:
        raise errors.InvalidBlockDevice(reason=f"failed to get image {image_id}.") from error


def resolved(asked: Asked, image_id: str, image: ImageMeta) -> tuple[BlockDeviceMapping, ...]:
    """Give all disks of a server: those of the body, and those that its image asks for under other names.

    :param image_id: of the ``imageRef``, if there is one
    """
    if image_id and any(it.is_volume and it.device_name == ROOT_DEVICE for it in asked.devices) and not asked.is_old:
        root = ROOT_DEVICE.removeprefix("/dev/")
        raise errors.InvalidInput(f"The volume cannot be assigned the same device name as the root device {root}")
    in_image = _in_image(image)
    if not any(it.is_root for it in in_image):
        wanted = _with_root(asked, image_id)
    elif asked.is_old:
        wanted = [_change(it, boot_index=-1) for it in asked.devices]
    else:  # clients name the image itself as the disk to boot from, too
        wanted = [it for it in asked.devices if not (it.is_root and it.source_type == "image")]
    names = {it.device_name for it in wanted if it.device_name}
    merged = [*wanted, *(it for it in in_image if it.device_name not in names)]
    return tuple(it for it in merged if not it.no_device)


def _with_root(asked: Asked, image_id: str) -> Sequence[BlockDeviceMapping]:
    """Find which disk of the older form a server boots from: the one of that name, or else the image."""
    if not asked.is_old:
        return asked.devices
    found = [_change(it, boot_index=0 if _is_old_root(it) else -1) for it in asked.devices]
    if image_id and not any(it.is_root for it in found):
        local = BlockDeviceMapping(source_type="image", source_id=image_id, destination_type="local", boot_index=0)
        return [local, *found]
    return found


def _is_old_root(it: BlockDeviceMapping) -> bool:
    return it.is_volume and it.device_name == ROOT_DEVICE


def _in_image(image: ImageMeta) -> list[BlockDeviceMapping]:
    """Read the disks that an image asks for.

    :raises errors.InvalidBlockDevice: when its property cannot be read
    """
    written = image.properties.get(IN_IMAGE)
    if not written:
        return []
    try:
        said = msgspec.json.decode(written, type=list[dict[str, Any]])
        if _true(image.properties.get(IN_IMAGE_V2)):
            found = [_change(_read(each), source_id=_source_id(each)) for each in said]
        else:
            found = list(_with_root(Asked(tuple(_of_old(each) for each in said), is_old=True), ""))
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise errors.InvalidBlockDevice(reason=f"image {image.id} has no valid {IN_IMAGE}: {error}") from error
    return found


def _source_id(said: Json) -> str:
    return said.get(f"{said.get('source_type')}_id") or ""


# ---- what cannot be


def require_possible(
    request: ComputeRequest, devices: Sequence[BlockDeviceMapping], flavor: Flavor, image_id: str, count: int
) -> tuple[BlockDeviceMapping, ...]:
    """Refuse disks that the servers cannot have; give them with the sizes and the types of their volumes.

    :param image_id: that the body names, and that was found
    :param count: how many servers there are to be
    :raises errors.InvalidInput: naming what is wrong
    """
    if count > 1 and any(it.source_type == "volume" for it in devices):
        raise errors.InvalidInput("Cannot attach one or more volumes to multiple instances")
    volumes = request.cloud.attachments.volumes() if any(it.is_volume for it in devices) else None
    sizes = _sizes(request, volumes, devices) if volumes else {}
    _require_sequence(devices)
    known = {image_id}
    found = [_checked(request, volumes, it, sizes, known) for it in devices]
    _require_local(devices, flavor)
    return tuple(found)


def _sizes(request: ComputeRequest, volumes: VolumeService, devices: Iterable[BlockDeviceMapping]) -> dict[str, int]:
    """Read the volumes that are there, for their sizes in GiB."""
    sizes = {}
    for it in devices:
        if it.source_type == "volume":
            try:
                volume = volumes.get(request.context, it.source_id)
            except errors.VolumeNotFound as error:
                raise errors.InvalidInput(str(error)) from error
            require_sharing(volume, request.api_version >= (2, 60))
            sizes[it.source_id] = volume.size
    return sizes


def _require_sequence(devices: Sequence[BlockDeviceMapping]) -> None:
    indexes = sorted(it.boot_index for it in devices if it.boot_index is not None and it.boot_index >= 0)
    if indexes != list(range(len(indexes))) or not indexes:
        reason = "Boot sequence for the instance and image/block device mapping combination is not valid."
        raise errors.InvalidBlockDevice(reason=reason)


def _checked(
    request: ComputeRequest, volumes: VolumeService | None, it: BlockDeviceMapping, sizes: dict[str, int],
    known: set[str],
) -> BlockDeviceMapping:  # fmt: skip
    """Look up what a disk names.

    :param known: images that were found before
    """
    size, kind = it.volume_size, it.volume_type
    if volumes is not None and kind:
        try:
            kind = volumes.get_type(request.context, kind)
        except errors.NotFound as error:
            raise errors.InvalidInput(f"Volume type {kind} could not be found.") from error
    if it.source_type == "image" and it.source_id not in known:
        known.add(_image(request, it.source_id).id)
    if it.source_type == "volume":
        size = sizes[it.source_id]
    elif volumes is not None and it.source_type == "snapshot":
        try:
            size = size or volumes.get_snapshot(request.context, it.source_id).size
        except errors.NotFound as error:
            raise errors.InvalidBlockDevice(reason=f"failed to get snapshot {it.source_id}.") from error
    elif it.is_volume and not size:
        raise errors.InvalidInput(NO_SIZE[it.source_type])
    if it.disk_bus and it.disk_bus not in BUSES:
        raise errors.InvalidInput("Block Device Mapping is Invalid.")
    if it.device_type and it.device_type not in TYPES:
        raise errors.InvalidBlockDevice(reason=f"{it.device_type!r} is not a device_type: {', '.join(sorted(TYPES))}.")
    return _change(it, volume_size=size, volume_type=kind)


def _require_local(devices: Sequence[BlockDeviceMapping], flavor: Flavor) -> None:
    """Refuse more disks of the host than a flavor has."""
    swaps = [it for it in devices if it.is_swap]
    others = [it for it in devices if it.is_blank_local and not it.is_swap]
    if sum(it.volume_size or flavor.ephemeral_gb for it in others) > flavor.ephemeral_gb:
        raise errors.InvalidInput(
            "Ephemeral disks requested are larger than the instance type allows. If no size is given in one block "
            "device mapping, flavor ephemeral size will be used."
        )
    if len(swaps) > 1:
        raise errors.InvalidBlockDevice(reason="More than one swap drive requested.")
    if swaps and (swaps[0].volume_size or 0) > flavor.swap_mb:
        raise errors.InvalidInput("Swap drive requested is larger than instance type allows.")
    of_flavor = bool(flavor.ephemeral_gb and not others) + bool(flavor.swap_mb and not swaps)
    if sum(not it.is_volume for it in devices) + of_flavor > MAX_LOCAL:
        raise errors.InvalidBlockDevice(reason="You specified more local devices than the limit allows")
