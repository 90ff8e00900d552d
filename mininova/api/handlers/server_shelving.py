"""Shelving of servers over HTTP: ``shelve``, ``shelveOffload``, ``unshelve``.

A shelved server is stopped, and an image is made of it; offloaded, it is on no host, and takes no room.
"""

from typing import Any

from mininova import errors, states
from mininova.api.handlers.server_actions import ACCEPTED, begins
from mininova.api.handlers.server_snapshots import begin
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.requirements import require_unlocked
from mininova.api.schemas import server_actions as schemas
from mininova.api.schemas.types import action
from mininova.api.validation import takes
from mininova.db import actions, request_specs, services
from mininova.db.session import Connection
from mininova.objects import Arguments, ImageMeta, Instance
from mininova.wsgi import Reply

Json = dict[str, Any]

shelve_offload = begins(
    "shelve_offload", "os-shelve:shelve_offload", action("shelveOffload"), "Take a shelved server off its host."
)


@takes(body=action("shelve"))
def shelve(request: ComputeRequest, id: str) -> Reply:
    """Stop a server and make an image of it, from which it can be made again elsewhere."""
    instance = find(request, id, "os-shelve:shelve")
    if request.cloud.attachments.root_of(instance) is not None:  # its volume is kept, and no image is needed
        request.cloud.operations.begin(request.context, "shelve", instance)
        return ACCEPTED
    body = {"name": f"{instance.display_name}-shelved"}
    begin(request, "shelve", instance, body, {"image_type": "snapshot"}, Arguments())
    return ACCEPTED


@takes(body=schemas.UNSHELVE)
def unshelve(request: ComputeRequest, id: str) -> Reply:
    """Start a shelved server: on its host, or on another one if it is on none."""
    instance = find(request, id, "os-shelve:unshelve")
    said = request.document["unshelve"] if request.api_version >= (2, 77) else None
    require_unlocked(request.context, instance)
    states.begin("unshelve", instance)
    has_volumes = bool(request.cloud.attachments.of(instance))
    with request.cloud.db.write() as tx:
        host = _pin(request, tx, instance, said) if said else None
        image = ImageMeta(id=actions.shelved_image(tx, instance.uuid))
    asked = Arguments(image=image, host=host, has_volumes=has_volumes)
    request.cloud.operations.begin(request.context, "unshelve", instance, asked)
    return ACCEPTED


def _pin(request: ComputeRequest, tx: Connection, instance: Instance, said: Json) -> str | None:
    """Check where a server is to go, and write its zone down; give the host that was named.

    :raises errors.UnshelveInstanceInvalidState: when the server has a host
    :raises errors.InvalidInput: naming what is not there
    :raises errors.UnshelveHostNotInAZ: when the host is in another zone than the server is bound to
    """
    if instance.vm_state != states.SHELVED_OFFLOADED:
        raise errors.UnshelveInstanceInvalidState(instance_uuid=instance.uuid, state=instance.vm_state)
    zones = {it.host: it.availability_zone for it in services.search(tx) if it.topic == "compute"}
    host: str | None = said.get("host")
    if host is not None:
        request.require("os-shelve:unshelve_to_host", project_id=instance.project_id)
        if host not in zones:
            raise errors.InvalidInput(f"Compute host {host} could not be found.")
    zone = said.get("availability_zone", request_specs.get(tx, instance.uuid).spec.availability_zone)
    if zone is not None and zone not in zones.values():
        raise errors.InvalidInput("The requested availability zone is not available")
    if host is not None and zone is not None and zones[host] != zone:
        raise errors.UnshelveHostNotInAZ(host=host, availability_zone=zone)
    if "availability_zone" in said:
        request_specs.pin(tx, instance.uuid, zone)
    return host
