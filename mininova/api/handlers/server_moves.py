"""Actions that take a server to another host or another flavor over HTTP, and that end this."""

from typing import Any

from mininova import errors, states
from mininova.api import create as creation
from mininova.api.handlers.server_actions import ACCEPTED
from mininova.api.handlers.servers import find, password
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.requirements import require_unlocked
from mininova.api.schemas import server_actions as schemas
from mininova.api.schemas.types import action
from mininova.api.validation import takes
from mininova.db import hosts, request_specs, services
from mininova.db.block_devices import Recorded
from mininova.objects import Arguments, Flavor, ImageMeta, Instance
from mininova.wsgi import Reply

Json = dict[str, Any]


@takes(body=schemas.RESIZE)
def resize(request: ComputeRequest, id: str) -> Reply:
    """Give a server another flavor, on another host."""
    instance, body = find(request, id, "servers:resize"), request.body_of("resize")
    require_unlocked(request.context, instance)
    states.begin("resize", instance)
    asked = Arguments(flavor=_flavor_to_resize_to(request, instance, str(body["flavorRef"]).rsplit("/", 1)[-1]))
    columns = {"disk_config": body["OS-DCF:diskConfig"]} if "OS-DCF:diskConfig" in body else {}
    request.cloud.operations.begin(request.context, "resize", instance, asked, columns)
    return ACCEPTED


def _flavor_to_resize_to(request: ComputeRequest, instance: Instance, flavor_id: str) -> Flavor:
    """Check what a resize asks for, and give the flavor.

    :raises errors.InvalidInput: when there is no such flavor, or the server cannot have it
    """
    with request.cloud.db.read() as tx:
        flavor = creation.find_flavor(request, tx, flavor_id)
    if flavor.flavor_id == instance.flavor.flavor_id:
        raise errors.InvalidInput("When resizing, instances must change flavor!")
    if flavor.disabled:
        raise errors.InvalidInput(str(errors.FlavorNotFound(flavor_id=flavor_id)))
    root = request.cloud.attachments.root_of(instance)
    if flavor.root_gb == 0 and instance.flavor.root_gb != 0 and root is None:
        reason = "Resize to zero disk flavor is not allowed."
        raise errors.InvalidInput(f"Server disk was unable to be resized because: {reason}")
    try:
        creation.require_fit(flavor, _image_of(request, instance, root), root.asked if root else None)
    except errors.ImageNotFound as reason:
        raise errors.InvalidInput("Image that the instance was started with could not be found.") from reason
    return flavor


def _image_of(request: ComputeRequest, instance: Instance, root: Recorded | None) -> ImageMeta:
    """Give the image of a server; of one that boots from a volume, what was known of it then."""
    if root is None:
        return request.cloud.images.get(request.context, instance.image_ref)
    with request.cloud.db.read() as tx:
        return request_specs.get(tx, instance.uuid).spec.image


@takes(body=schemas.MIGRATE)
def migrate(request: ComputeRequest, id: str) -> Reply:
    """Take a server to another host, where it gets a stop and a start."""
    host = (request.document["migrate"] or {}).get("host") if request.api_version >= (2, 56) else None
    rule = "os-migrate-server:migrate" if host is None else "os-migrate-server:migrate:host"
    instance = find(request, id, rule)
    if host is not None:
        states.begin("migrate", instance)
        _require_other_host(request, instance, host)
    request.cloud.operations.begin(request.context, "migrate", instance, Arguments(host=host))
    return ACCEPTED


@takes(body=schemas.MIGRATE_LIVE)
def migrate_live(request: ComputeRequest, id: str) -> Reply:
    """Take a server to another host while it runs on.

    A host that is named before 2.30, where there is no ``force`` yet, is forced.  The guests of a fake hypervisor have
    no disks: how those would be copied changes nothing.
    """
    body, version = request.body_of("os-migrateLive"), request.api_version
    host, named_is_forced = body["host"], version < (2, 30)
    rule = "os-migrate-server:migrate_live:host" if host else "os-migrate-server:migrate_live"
    instance = find(request, id, rule)
    force = _says(body.get("force", named_is_forced))
    if force and not host and not named_is_forced:
        raise errors.InvalidInput("Can't force to a non-provided destination")
    states.begin("live_migrate", instance)
    if host:
        _require_host(request, host)
    if host and host == instance.host and version < (2, 34):
        raise errors.InvalidInput(f"Unable to migrate instance ({instance.uuid}) to current host ({host}).")
    asked = Arguments(host=host or None, force=bool(force and host))
    try:
        request.cloud.operations.begin(request.context, "live_migrate", instance, asked)
    except errors.ComputeServiceUnavailable as down:
        raise errors.InvalidInput(str(down)) from down
    return ACCEPTED


@takes(body=schemas.EVACUATE)
def evacuate(request: ComputeRequest, id: str) -> Reply | Json:
    """Have a server be made anew on another host, since its own has failed; from 2.95 on it is left stopped there.

    A host that is named before 2.29, where there is no ``force`` yet, is forced.  The guests of a fake hypervisor have
    no disks: whether those would be shared changes nothing but the password.
    """
    instance, body, version = find(request, id, "os-evacuate"), request.body_of("evacuate"), request.api_version
    host, named_is_forced = body.get("host"), version < (2, 29)
    force = _says(body.get("force", named_is_forced))
    if force and not host and not named_is_forced:
        raise errors.InvalidInput("Can't force to a non-provided destination")
    is_shared = _says(body.get("onSharedStorage", False))
    if is_shared and "adminPass" in body:
        raise errors.InvalidInput("admin password can't be changed on existing disk")
    with request.cloud.db.read() as tx:
        if host is not None and services.compute_on(tx, host) is None:
            raise errors.NotFound(f"Compute host {host} not found.")
    if host == instance.host:
        raise errors.InvalidInput("The target host can't be the same one.")
    asked = Arguments(host=host, force=bool(force and host), stopped=version >= (2, 95))
    request.cloud.operations.begin(request.context, "evacuate", instance, asked)
    if version >= (2, 14):
        return Reply(200)
    return {"adminPass": None if is_shared else password(request, body)}


def _says(value: bool | str) -> bool:
    """Tell what a flag says."""
    return str(value).lower() in TRUE


def _require_other_host(request: ComputeRequest, instance: Instance, host: str) -> None:
    """Refuse a host that is none, or that the server is on.

    :raises errors.InvalidInput: when it is
    """
    if host == instance.host:
        raise errors.InvalidInput("Cannot migrate to the host where the server exists.")
    _require_host(request, host)


def _require_host(request: ComputeRequest, host: str) -> None:
    with request.cloud.db.read() as tx:
        if not hosts.search(tx, host=host):
            raise errors.InvalidInput(str(errors.ComputeHostNotFound(host=host)))


@takes(body=action("confirmResize"))
def confirm_resize(request: ComputeRequest, id: str) -> Reply:
    """Keep a resized server where it is."""
    request.cloud.operations.begin(request.context, "confirm_resize", find(request, id, "servers:confirm_resize"))
    return Reply(204)


@takes(body=action("revertResize"))
def revert_resize(request: ComputeRequest, id: str) -> Reply:
    """Take a resized server back to where it was, with the flavor that it had."""
    request.cloud.operations.begin(request.context, "revert_resize", find(request, id, "servers:revert_resize"))
    return ACCEPTED
