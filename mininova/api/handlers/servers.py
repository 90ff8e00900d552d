"""Servers over HTTP: make, show, change and delete one.  Outside this API a server is an instance.

create.py reads and checks what POST asks for, server_lists.py lists servers, and views/servers.py says how one looks.
"""

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mininova import errors
from mininova.api import create as creation
from mininova.api.other_services import group_names
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import servers as schemas
from mininova.api.validation import takes
from mininova.api.views.servers import FAULTY, Extras, Views, status_of
from mininova.api.views.services import COMPUTE, is_up
from mininova.db import block_devices, faults, instances, ports, request_specs, server_groups, services
from mininova.db.session import Connection
from mininova.objects import Instance, Service
from mininova.wsgi import Reply

Json = dict[str, Any]

# The fields of PUT, and the column that each is written to.
COLUMNS = {
    "name": "display_name",
    "description": "display_description",
    "hostname": "hostname",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "OS-DCF:diskConfig": "disk_config",
    "pinned_availability_zone": "requested_zone",
}
PASSWORD_CHARACTERS = string.ascii_letters + string.digits


def show(request: ComputeRequest, id: str) -> Json:
    """Show one server."""
    instance = find(request, id, "servers:show")
    return {"server": Views(request, extras_of_one(request, instance)).one(instance)}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Reply:
    """Make one server, or several alike; the answer has the first of them."""
    request.require("servers:create")
    ask = creation.ask_of(request)
    ask, flavor, image = creation.check(request, ask)
    order = creation.order_of(request, ask, flavor, image)
    if ask.devices:
        first, *_ = request.cloud.boot_volumes.create(request.context, order, ask.uuid, ask.devices)
    else:
        first, *_ = request.cloud.operations.create(request.context, order)
    body = request.body_of("server")
    if str(body.get("return_reservation_id", False)).lower() in TRUE:
        return Reply(202, {"reservation_id": first.reservation_id})
    links = request.links.to("servers", first.uuid)
    server = {
        "id": first.uuid,
        "links": links,
        "OS-DCF:diskConfig": first.disk_config,
        "security_groups": [each for each in body.get("security_groups", [{"name": "default"}]) if each],
        "adminPass": password(request, body),
    }
    return Reply(202, {"server": server}, headers={"Location": links[0]["href"]})


@takes(body=schemas.UPDATE)
def update(request: ComputeRequest, id: str) -> Json:
    """Change a server's name, description, host name, access addresses, disk configuration or pinned zone."""
    instance, body = find(request, id, "servers:update"), request.body_of("server")
    if columns := columns_of(body, COLUMNS):

        def change(current: Instance) -> Json:
            if "requested_zone" in columns:
                _require_pinnable(current, columns["requested_zone"])
            return columns

        instance = request.cloud.operations.edit(instance, change)
    return {"server": Views(request, extras_of_one(request, instance)).updated(instance)}


def _require_pinnable(instance: Instance, zone: str | None) -> None:
    """Make sure that a server may be pinned to a zone: to the one that it is in, and if it is pinned to no other.

    :raises errors.Conflict: when it may not
    """
    if zone is None or zone == instance.requested_zone:
        return
    if instance.requested_zone is not None:
        raise errors.Conflict(
            "Cannot change pinned availability zone directly. Unpin first by setting pinned_availability_zone to null."
        )
    if zone != instance.availability_zone:
        raise errors.Conflict(
            "Server can only be pinned to its current availability zone "
            f"'{instance.availability_zone}', but '{zone}' was requested."
        )


def columns_of(body: Json, names: Mapping[str, str]) -> Json:
    """Give the columns that a body says, as they are kept: a name without spaces around it, IPv6 in its shortest form.

    :param names: the field of the body → its column; other fields are passed over
    """
    columns = {names[name]: value for name, value in body.items() if name in names}
    if "display_name" in columns:
        columns["display_name"] = columns["display_name"].strip()
    if "access_ip_v6" in columns:
        columns["access_ip_v6"] = creation.compressed(columns["access_ip_v6"])
    return columns


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a server."""
    request.cloud.operations.delete(request.context, find(request, id, "servers:delete"))
    return Reply(204)


def find(request: ComputeRequest, id: str, rule: str, *, deleted: bool = False) -> Instance:
    """Read the server that a URL names, for something that a rule must allow.

    :param deleted: find it even if it was deleted
    :raises errors.InstanceNotFound: when there is none, or it is another project's
    :raises errors.NotAllowed: when the caller may not do this to it
    """
    ctxt = request.context
    with request.cloud.db.read() as tx:
        instance = instances.get(tx, id, project_id=None if ctxt.is_admin else ctxt.project_id, deleted=deleted)
    request.require(rule, project_id=instance.project_id)
    return instance


def extras_of(request: ComputeRequest, shown: Sequence[Instance]) -> Extras:
    """Read what servers show beside their rows: one query for each kind, and only if this request shows it."""
    version = request.api_version
    faulty = [instance.uuid for instance in shown if status_of(instance) in FAULTY]
    with_user_data = version >= (2, 3) and request.allows("os-extended-server-attributes")
    with_hosts = version >= (2, 16) and request.allows("servers:show:host_status")
    with_specs = version >= (2, 98)
    with request.cloud.db.read() as tx:
        groups = ports.security_groups(tx, [instance.uuid for instance in shown])
        return Extras(
            security_groups=group_names(request.cloud.network, groups) if groups else {},
            faults=faults.latest(tx, faulty) if faulty else {},
            user_data=instances.user_data(tx, [instance.uuid for instance in shown]) if with_user_data else {},
            host_states=_host_states(request, tx) if with_hosts else None,
            volumes=block_devices.by_instance(tx, [instance.uuid for instance in shown]),
            specs=request_specs.specs_of(tx, [instance.uuid for instance in shown]) if with_specs else {},
        )


def extras_of_one(request: ComputeRequest, instance: Instance) -> Extras:
    """Read what a server shows on its own: the same, and its group."""
    extras = extras_of(request, [instance])
    if request.api_version < (2, 71):
        return extras
    with request.cloud.db.read() as tx:
        return replace(extras, server_groups={instance.uuid: server_groups.of_instance(tx, instance.uuid)})


def _host_states(request: ComputeRequest, tx: Connection) -> dict[str, str]:
    """Give the state of each compute host."""
    return {service.host: _host_state(request, service) for service in services.search(tx) if service.topic == COMPUTE}


def _host_state(request: ComputeRequest, service: Service) -> str:
    """Say whether an operator disabled a host or forced it down, or else whether it sends heartbeats."""
    if service.disabled:
        return "MAINTENANCE"
    if service.forced_down:
        return "DOWN"
    return "UP" if is_up(request, service) else "UNKNOWN"


def password(request: ComputeRequest, body: Json) -> str:
    """Give the password for a guest's administrator, as the body says or made up.

    A fake guest has no accounts: the password goes into this answer, and is stored nowhere.
    """
    chosen: str | None = body.get("adminPass")
    length = request.cloud.conf.api.password_length
    return chosen or "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(length))
