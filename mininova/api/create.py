"""What POST /servers asks for, checked against flavors, images, networks, keys and hosts, and made into instances.

The body has passed its schema.  ``ask_of`` reads it; ``check`` looks up what it names and refuses what cannot be;
``instances_of`` makes the instances and the request spec.  Nothing is written here (mininova/api/operations.py does).
"""

import random
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import Any
from uuid import uuid4

import msgspec

from mininova import errors, states
from mininova.api.attachments import ROOT_DEVICE
from mininova.api.block_devices import GIB, IN_IMAGE, NO_DISKS, Asked, asked_of, image_of, require_possible, resolved
from mininova.api.handlers.networks import chosen
from mininova.api.operations import Order
from mininova.api.other_services import chosen_groups, require_usable
from mininova.api.request import TRUE, ComputeRequest
from mininova.db import flavors, hosts, keypairs, networks, server_groups, services
from mininova.db.session import Connection
from mininova.objects import BlockDeviceMapping, Flavor, ImageMeta, Instance, RequestSpec
from mininova.wsgi.values import whole

Json = dict[str, Any]

# What one message to a conductor may carry.
MAX_SERVERS_PER_REQUEST = 1000


@dataclass(frozen=True)
class Ask:
    """What the body asks for.

    :param zone: the availability zone, if one was named
    :param host: the compute node that an administrator named, in the zone or on its own; likewise ``node``
    :param forced: whether the host came in the zone (``zone:host:node``), where it is not checked
    :param image_id: "" where the body names none, and it boots from a volume
    :param networks: ``auto``, ``none``, or ``chosen`` by ``nics``, each as the body has it
    :param disks: as the body has them
    :param devices: as they are to be; none where the one disk is the image on the host, with what the flavor adds
    :param uuid: of the first server, where volumes are reserved for it before it is made
    """

    name: str
    flavor_id: str
    image_id: str
    networks: str
    disks: Asked = NO_DISKS
    devices: Sequence[BlockDeviceMapping] = ()
    uuid: str = ""
    nics: Sequence[Json] = ()
    min_count: int = 1
    max_count: int = 1
    zone: str | None = None
    host: str | None = None
    node: str | None = None
    forced: bool = False
    key_name: str | None = None
    hostname: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    config_drive: bool = False
    disk_config: str | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    user_data: str | None = None
    hints: dict[str, str] = field(default_factory=dict)


# ---- the body


def ask_of(request: ComputeRequest) -> Ask:
    """Read the body.

    :raises errors.InvalidInput: when its parts contradict each other, or ask for what mininova does not have
    :raises errors.NotAllowed: when the caller may not name a host
    """
    body, server = request.document, request.body_of("server")
    hints = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
    min_count, max_count = _counts(server)
    if server.get("hostname") and max_count > 1:
        raise errors.InvalidInput("Unable to allocate a single hostname to multiple instances")
    if server.get("trusted_image_certificates"):
        raise errors.InvalidInput("Image certificates cannot be checked: no key manager is here.")
    destination = _destination(request, server)
    disks, image_id = _disks(request, server)
    return Ask(
        name=server["name"].strip(),
        flavor_id=str(server["flavorRef"]).rsplit("/", 1)[-1],
        image_id=image_id,
        disks=disks,
        networks=networks.NONE if server.get("networks") == networks.NONE else networks.AUTO,
        min_count=min_count,
        max_count=max_count,
        key_name=_stripped(server.get("key_name")),
        hostname=server.get("hostname"),
        description=_description(request, server),
        metadata=server.get("metadata", {}),
        tags=tuple(sorted(set(server.get("tags", ())))),
        config_drive=_true(server.get("config_drive", False)),
        disk_config=server.get("OS-DCF:diskConfig"),
        access_ip_v4=server.get("accessIPv4"),
        access_ip_v6=compressed(server.get("accessIPv6")),
        user_data=server.get("user_data"),
        hints=_hints(hints),
        **destination,
    )


def _stripped(name: str | None) -> str | None:
    return name.strip() if name else None


def compressed(ip: str | None) -> str | None:
    """Write an IPv6 address in its shortest form."""
    return str(IPv6Address(ip)) if ip else None


def _counts(server: Json) -> tuple[int, int]:
    try:
        least = whole(server.get("min_count", 1))
        most = whole(server.get("max_count", least))
    except ValueError as reason:
        raise errors.InvalidInput(f"min_count or max_count is no number: {reason}") from reason
    if least > most:
        raise errors.InvalidInput("min_count must be <= max_count")
    return least, most


def _disks(request: ComputeRequest, server: Json) -> tuple[Asked, str]:
    """Read the disks, and the image to boot from, which none need be where there are disks.

    :raises errors.NotAllowed: when the caller may not say which disks
    """
    disks, image_id = asked_of(server), server.get("imageRef") or ""
    if disks.devices:
        request.require("servers:create:attach_volume")
    elif not image_id:
        raise errors.InvalidInput("Missing imageRef attribute")
    return disks, image_id


def _description(request: ComputeRequest, server: Json) -> str | None:
    """Give the description; before it came, with 2.19, it was the name."""
    if request.api_version < (2, 19):
        name: str = server["name"]
        return name.strip()
    description: str | None = server.get("description")
    return description


def _hints(hints: Json) -> dict[str, str]:
    """Write each hint as the text that filters read: several values with commas between, an object as JSON."""
    return {name: _hint(hint) for name, hint in hints.items()}


def _hint(hint: Any) -> str:
    if isinstance(hint, list):
        return ",".join(map(str, hint))
    return msgspec.json.encode(hint).decode() if isinstance(hint, dict) else str(hint)


def _destination(request: ComputeRequest, server: Json) -> Json:
    """Read the zone and the host: ``zone:host:node`` in the zone, or since 2.74 in fields of their own."""
    zone, *forced = str(server.get("availability_zone") or "").strip().split(":")
    if len(forced) > 2:
        raise errors.InvalidInput("Unable to parse availability_zone")
    host, node = (*forced, "", "")[:2]
    named = {name: server.get(name) for name in ("host", "hypervisor_hostname")}
    if host or node:
        request.require("servers:create:forced_host")
        if any(named.values()):
            raise errors.InvalidInput("Host or node cannot be named both in the availability zone and beside it.")
        return {"zone": zone or None, "host": host or None, "node": node or None, "forced": True}
    if any(named.values()):
        request.require("compute:servers:create:requested_destination")
    default = request.cloud.conf.api.default_schedule_zone
    return {"zone": zone or default, "host": named["host"], "node": named["hypervisor_hostname"]}


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in TRUE


# ---- what it names


def check(request: ComputeRequest, ask: Ask) -> tuple[Ask, Flavor, ImageMeta]:
    """Look up what was asked for, and give the ask with the networks that were chosen.

    Where several things are wrong, the answer names the one that Nova names.

    :raises errors.InvalidInput: naming what is not there, or does not go together
    :raises errors.NotAllowed: when only administrators may have it
    """
    ctxt = request.context
    with request.cloud.db.read() as tx:
        flavor = find_flavor(request, tx, ask.flavor_id)
        if ask.zone is not None:
            _check_zone(tx, ask.zone)
        if (ask.host or ask.node) and not ask.forced:
            _check_host(tx, ask)
        has_key = ask.key_name is None or is_key(tx, ctxt.user_id or "", ask.key_name)
    image = _image(request, ask.image_id) if ask.image_id else image_of(request, ask.disks)
    if ask.disks.devices or IN_IMAGE in image.properties:
        ask = replace(ask, devices=resolved(ask.disks, ask.image_id, image), uuid=str(uuid4()))
    root = next((it for it in ask.devices if it.is_root), None)
    require_fit(flavor, image, root)
    if flavor.root_gb == 0 and not (root and root.is_volume) and not request.allows("servers:create:zero_disk_flavor"):
        raise errors.NotAllowed("Only volume-backed servers are allowed for flavors with zero disk.")
    server = request.body_of("server")
    nics = chosen(request, server, ask.max_count)
    if not has_key:
        raise errors.InvalidInput("Invalid key_name provided.")
    if ask.max_count > MAX_SERVERS_PER_REQUEST:
        raise errors.QuotaExceeded(what="servers in one request", limit=MAX_SERVERS_PER_REQUEST)
    if group := ask.hints.get("group"):
        _check_group(request, group)
    if ask.disks.devices or ask.devices:
        devices = require_possible(request, ask.devices, flavor, ask.image_id, ask.max_count)
        ask = replace(ask, devices=devices if any(it.is_volume for it in devices) else ())
    return replace(ask, networks=networks.CHOSEN, nics=nics) if nics else ask, flavor, image


def find_flavor(request: ComputeRequest, tx: Connection, flavor_id: str) -> Flavor:
    """Look up a flavor that a body names.

    :raises errors.InvalidInput: when there is none, or it is not the caller's to use
    """
    ctxt = request.context
    try:
        return flavors.get(tx, flavor_id, project_id=None if ctxt.is_admin else ctxt.project_id)
    except errors.FlavorNotFound as reason:
        raise errors.InvalidInput(str(reason)) from reason


def _image(request: ComputeRequest, image_id: str) -> ImageMeta:
    try:
        image = request.cloud.images.get(request.context, image_id)
    except errors.ImageNotFound as reason:
        raise errors.InvalidInput("Can not find requested image") from reason
    require_usable(image)
    return image


def is_key(tx: Connection, user_id: str, name: str) -> bool:
    """Tell whether a user has a key of this name."""
    try:
        keypairs.get(tx, user_id, name)
    except errors.KeypairNotFound:
        return False
    return True


def _check_zone(tx: Connection, zone: str) -> None:
    if zone not in {it.availability_zone for it in services.search(tx) if it.topic == "compute"}:
        raise errors.InvalidInput("The requested availability zone is not available")


def _check_group(request: ComputeRequest, group: str) -> None:
    ctxt = request.context
    try:
        with request.cloud.db.read() as tx:
            server_groups.get(tx, group, project_id=None if ctxt.is_admin else ctxt.project_id)
    except errors.ServerGroupNotFound as reason:
        raise errors.InvalidInput(str(reason)) from reason


def _check_host(tx: Connection, ask: Ask) -> None:
    found = hosts.search(tx, host=ask.host) if ask.host else hosts.search(tx)
    if not any(ask.node in (None, it.hypervisor_hostname) for it in found):
        raise errors.InvalidInput(f"Compute host {ask.host or ask.node} could not be found.")


def require_fit(flavor: Flavor, image: ImageMeta, root: BlockDeviceMapping | None = None) -> None:
    """Refuse an image that needs more memory or disk than a flavor gives, or the volume that a server boots from.

    :param root: what it boots from, if that was asked for
    :raises errors.InvalidInput: naming both
    """
    if flavor.memory_mb < image.min_ram:
        raise errors.FlavorMemoryTooSmall(flavor_mb=flavor.memory_mb, image_mb=image.min_ram)
    if root is not None and root.is_volume:
        if root.volume_size is not None and image.min_disk > root.volume_size:
            raise errors.InvalidInput(
                "Volume is smaller than the minimum size specified in image metadata. Volume size is "
                f"{root.volume_size * GIB} bytes, minimum size is {image.min_disk * GIB} bytes."
            )
        return
    needs = max(image.min_disk, -(-(image.size or 0) // GIB))
    if 0 < flavor.root_gb < needs:
        raise errors.FlavorDiskTooSmall(flavor_gb=flavor.root_gb, image_gb=needs)


# ---- what comes of it


def order_of(request: ComputeRequest, ask: Ask, flavor: Flavor, image: ImageMeta) -> Order:
    """Say what is to be made: all that was asked for, or as many of them as the quota allows."""

    def make(count: int) -> tuple[list[Instance], RequestSpec]:
        fewer = replace(ask, max_count=count)
        return instances_of(request, fewer, flavor, image), spec_of(request, fewer, flavor, image)

    server, network = request.body_of("server"), request.cloud.network
    groups = chosen_groups(network, request.context, server.get("security_groups", ()))
    files = server.get("personality", [])

    def plug(tx: Connection, instance: Instance) -> Instance:
        _, addresses = network.ports.plug(tx, request.context, instance.uuid, ask.nics)
        return instance.replace(addresses=addresses)

    return Order(ask.max_count, ask.min_count, make, ask.user_data, files, groups, plug if ask.nics else None)


def instances_of(request: ComputeRequest, ask: Ask, flavor: Flavor, image: ImageMeta) -> list[Instance]:
    """Make the instances, all of one reservation, and numbered if there are several."""
    ctxt = request.context
    common = Instance(
        uuid="",
        project_id=ctxt.project_id or "",
        user_id=ctxt.user_id or "",
        display_name=ask.name,
        display_description=ask.description,
        vm_state=states.BUILDING,
        task_state=states.SCHEDULING,
        flavor=flavor,
        image_ref=ask.image_id,
        root_device_name=next((it.device_name for it in ask.devices if it.is_root and it.device_name), ROOT_DEVICE),
        key_name=ask.key_name,
        requested_zone=ask.zone,
        reservation_id=f"r-{''.join(random.choices(string.ascii_lowercase + string.digits, k=8))}",
        networks=ask.networks,
        metadata=ask.metadata,
        tags=ask.tags,
        config_drive=ask.config_drive,
        disk_config=ask.disk_config or _disk_config(image),
        access_ip_v4=ask.access_ip_v4,
        access_ip_v6=ask.access_ip_v6,
    )
    return [_numbered(common, ask, index) for index in range(ask.max_count)]


def spec_of(request: ComputeRequest, ask: Ask, flavor: Flavor, image: ImageMeta) -> RequestSpec:
    """Make the request spec for the scheduler."""
    return RequestSpec(
        flavor=flavor,
        image=image,
        project_id=request.context.project_id or "",
        num_instances=ask.max_count,
        availability_zone=ask.zone,
        requested_host=ask.host,
        requested_node=ask.node,
        scheduler_hints=ask.hints,
        has_volumes=bool(ask.devices),
    )


def hostname_of(name: str, uuid: str) -> str:
    """Make a host name of a server's name (nova: utils.sanitize_hostname)."""
    cleaned = re.sub(r"[^a-z0-9-]", "", re.sub(r"[ _.]", "-", name.lower())).strip("-")[:63].rstrip("-")
    return cleaned or f"server-{uuid}"


def _numbered(common: Instance, ask: Ask, index: int) -> Instance:
    uuid = ask.uuid if ask.uuid and index == 0 else str(uuid4())
    name = ask.name if ask.max_count == 1 else f"{ask.name}-{index + 1}"
    return common.replace(
        uuid=uuid, display_name=name, hostname=ask.hostname or hostname_of(name, uuid), launch_index=index
    )


def _disk_config(image: ImageMeta) -> str:
    return "AUTO" if _true(image.properties.get("auto_disk_config", False)) else "MANUAL"
