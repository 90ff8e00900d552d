"""Hypervisors over HTTP: their room and how much of it is claimed, for administrators.

What a URL names one by is a number until 2.52 and a uuid from 2.53 on; views/hypervisors.py says how one looks.
"""

from typing import Any
from uuid import UUID

from mininova import errors
from mininova.api.paging import limit_of, marker_of, next_page
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import hypervisors as schemas
from mininova.api.validation import takes
from mininova.api.views.hypervisors import Views, room_of
from mininova.db import hosts
from mininova.db.session import Connection
from mininova.objects import ComputeNode

Json = dict[str, Any]

SUMS = (
    "vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb", "free_disk_gb",
    "current_workload", "running_vms", "disk_available_least",
)  # fmt: skip


@takes(query=schemas.LIST_HYPERVISORS)
def index(request: ComputeRequest) -> Json:
    """List hypervisors."""
    request.require("os-hypervisors:list")
    return _list(request, "os-hypervisors", detailed=False)


@takes(query=schemas.LIST_HYPERVISORS)
def detail(request: ComputeRequest) -> Json:
    """List hypervisors with all their fields."""
    request.require("os-hypervisors:list-detail")
    return _list(request, "os-hypervisors/detail", detailed=True)


@takes(query=schemas.SHOW_HYPERVISOR)
def show(request: ComputeRequest, id: str) -> Json:
    """Show one hypervisor."""
    request.require("os-hypervisors:show")
    with request.cloud.db.read() as tx:
        node = _get(request, tx, id)
        views = Views(request, tx, [node], with_servers=_asks_for_servers(request))
    return {"hypervisor": views.detail(node)}


def uptime(request: ComputeRequest, id: str) -> Json:
    """Show how long a hypervisor's host has been running, as the host says."""
    request.require("os-hypervisors:uptime")
    with request.cloud.db.read() as tx:
        node = _get(request, tx, id)
        shown = Views(request, tx, [node], with_servers=False).summary(node)
    try:
        said = request.cloud.questions.host_uptime(request.context, node.host)
    except errors.ComputeServiceUnavailable as reason:
        raise errors.InvalidInput(str(reason)) from reason
    return {"hypervisor": shown | {"uptime": said}}


def statistics(request: ComputeRequest) -> Json:
    """Add up the room of all hypervisors."""
    request.require("os-hypervisors:statistics")
    with request.cloud.db.read() as tx:
        shown = [room_of(node) for node, service in hosts.states(tx) if not service.disabled]
    sums = {name: sum(room[name] for room in shown) for name in SUMS}
    return {"hypervisor_statistics": {"count": len(shown), **sums}}


def search(request: ComputeRequest, id: str) -> Json:
    """Find hypervisors by a part of their name."""
    request.require("os-hypervisors:search")
    return _matching(request, id, with_servers=False)


def servers(request: ComputeRequest, id: str) -> Json:
    """Find hypervisors by a part of their name, and show the servers on them."""
    request.require("os-hypervisors:servers")
    return _matching(request, id, with_servers=True)


def _matching(request: ComputeRequest, pattern: str, with_servers: bool) -> Json:
    with request.cloud.db.read() as tx:
        found = _by_pattern(tx, pattern)
        views = Views(request, tx, found, with_servers)
    return {"hypervisors": [views.summary(node) for node in found]}


def _list(request: ComputeRequest, path: str, detailed: bool) -> Json:
    pattern = request.query.get("hypervisor_hostname_pattern") if request.api_version >= (2, 53) else None
    paged = request.api_version >= (2, 33)
    if pattern and (marker_of(request) or "limit" in request.query):
        raise errors.InvalidInput(
            "Paging over hypervisors with the hypervisor_hostname_pattern query is not supported."
        )
    limit = limit_of(request)
    with request.cloud.db.read() as tx:
        if pattern:
            found = _by_pattern(tx, pattern)
        else:
            found = hosts.search(tx, limit=limit, marker=marker_of(request)) if paged else hosts.search(tx)
        views = Views(request, tx, found, with_servers=_asks_for_servers(request))
    answer: Json = {"hypervisors": [views.detail(it) if detailed else views.summary(it) for it in found]}
    if paged and not pattern and found:
        last = found[-1].uuid if request.api_version >= (2, 53) else str(found[-1].id)
        if links := next_page(request, path, found, limit, last):
            answer["hypervisors_links"] = links
    return answer


def _asks_for_servers(request: ComputeRequest) -> bool:
    return request.api_version >= (2, 53) and request.query.get("with_servers", "").lower() in TRUE


def _by_pattern(tx: Connection, pattern: str) -> list[ComputeNode]:
    found = hosts.search(tx, pattern=pattern)
    if not found:
        raise errors.NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return found


def _get(request: ComputeRequest, tx: Connection, id: str) -> ComputeNode:
    missing = errors.NotFound(f"Hypervisor with ID '{id}' could not be found.")
    if request.api_version >= (2, 53):
        try:
            id = str(UUID(id))
        except ValueError as reason:
            raise errors.InvalidInput(f"Invalid uuid {id}") from reason
    elif not id.isdecimal():
        raise missing
    try:
        return hosts.get(tx, id)
    except errors.ComputeHostNotFound as reason:
        raise missing from reason
