"""Services over HTTP: the processes of the control plane, for administrators.

Until 2.52 the body names a service by its host and binary, and the URL ends in a verb; from 2.53 on the URL names it by
its uuid, and the body gives its new values.
"""

from typing import Any
from uuid import UUID

from mininova import errors
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import services as schemas
from mininova.api.validation import takes
from mininova.api.views.services import COMPUTE, show_service, status_of
from mininova.db import hosts, instances, services
from mininova.db.session import Connection
from mininova.objects import Service
from mininova.wsgi import Reply
from mininova.wsgi.request import FLOW

Json = dict[str, Any]

# Nova does not list the services that answer HTTP requests.
NOT_LISTED = frozenset({"nova-api"})


@takes(query=schemas.LIST_SERVICES)
def index(request: ComputeRequest) -> Json:
    """List services."""
    request.require("os-services:list")
    with request.cloud.db.read() as tx:
        found = listed(tx, host=request.query.get("host"), binary=request.query.get("binary"))
    return {"services": [show_service(request, service) for service in found]}


@takes(body=schemas.UPDATE_SERVICE)
def update(request: ComputeRequest, id: str) -> Json:
    """Enable, disable or force down a nova-compute."""
    request.require("os-services:update")
    shown = _update_by_uuid(request, id) if request.api_version >= (2, 53) else _update_by_word(request, id)
    request.environ[FLOW] = shown
    return shown


def delete(request: ComputeRequest, id: str) -> Reply:
    """Forget a service and, if it is a nova-compute, its host; a service that is alive registers again at once."""
    request.require("os-services:delete")
    key = _require_uuid(id) if request.api_version >= (2, 53) else _require_number(id)
    with request.cloud.db.write() as tx:
        service = services.get(tx, key)
        if service.topic == COMPUTE:
            _forget_host(tx, service.host)
        services.delete(tx, service.uuid)
    return Reply(204)


def listed(tx: Connection, host: str | None = None, binary: str | None = None) -> list[Service]:
    """Read the services that operators see; an empty name asks for nothing, as in Nova."""
    found = services.search(tx, host=host or None, binary=binary or None)
    return [service for service in found if service.binary not in NOT_LISTED]


def _update_by_uuid(request: ComputeRequest, id: str) -> Json:
    uuid = _require_uuid(id)
    with request.cloud.db.write() as tx:
        service = services.get(tx, uuid)
        _require_compute(service.binary)
        changes = _changes_in(request.document)
        return {"service": show_service(request, services.update(tx, service.uuid, **changes))}


def _changes_in(body: Json) -> Json:
    """Read what a body of 2.53 or later asks for."""
    changes: Json = {}
    if "status" in body:
        changes = {"disabled": body["status"] == "disabled", "disabled_reason": body.get("disabled_reason")}
        if "disabled_reason" in body and not changes["disabled"]:
            raise errors.InvalidInput("Specifying 'disabled_reason' with status 'enabled' is invalid.")
    if "forced_down" in body:
        changes["forced_down"] = _true(body["forced_down"])
    if not changes:
        raise errors.InvalidInput("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    return changes


def _update_by_word(request: ComputeRequest, word: str) -> Json:
    body = request.document
    changes = _changes_of(request, word, body)
    _require_compute(body["binary"])
    with request.cloud.db.write() as tx:
        found = services.search(tx, host=body["host"], binary=body["binary"])
        if not found:
            raise errors.NotFound(f"Service {body['binary']} on host {body['host']} could not be found.")
        service = services.update(tx, found[0].uuid, **changes)
    shown: Json = {"host": service.host, "binary": service.binary}
    if word == "force-down":
        return {"service": shown | {"forced_down": service.forced_down}}
    shown["status"] = status_of(service)
    return {"service": shown | ({"disabled_reason": service.disabled_reason} if word == "disable-log-reason" else {})}


def _changes_of(request: ComputeRequest, word: str, body: Json) -> Json:
    if word == "enable":
        return {"disabled": False, "disabled_reason": None}
    if word == "disable":
        return {"disabled": True}
    if word == "disable-log-reason":
        if "disabled_reason" not in body:
            raise errors.InvalidInput("Missing disabled reason field")
        return {"disabled": True, "disabled_reason": body["disabled_reason"]}
    if word == "force-down" and request.api_version >= (2, 11):
        if "forced_down" not in body:
            raise errors.InvalidInput("Missing forced_down field")
        return {"forced_down": _true(body["forced_down"])}
    raise errors.NotFound("Unknown action")


def _forget_host(tx: Connection, host: str) -> None:
    if instances.list_by_host(tx, host):
        raise errors.Conflict(
            "Unable to delete compute service that is hosting instances. Migrate or delete the instances first."
        )
    hosts.delete(tx, host)


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in TRUE


def _require_compute(binary: str) -> None:
    """Refuse to change another service than nova-compute: the scheduler asks for the state of no other."""
    if binary != "nova-compute":
        raise errors.InvalidInput(
            f"Updating a {binary} service is not supported. Only nova-compute services can be updated."
        )


def _require_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid uuid {text}") from reason


def _require_number(text: str) -> str:
    if not text.isdecimal():
        raise errors.InvalidInput(reason="id must be an integer")
    return text
