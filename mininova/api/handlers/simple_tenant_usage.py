"""Usage over HTTP: how long each server of a project ran in a period, and its MiB, cores and GiB times these hours.

It is computed from the rows, those of deleted servers too: from ``launched_at`` to ``terminated_at``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from mininova import errors, states
from mininova.api.paging import limit_of, marker_of, next_page
from mininova.api.request import ComputeRequest
from mininova.api.schemas import simple_tenant_usage as schemas
from mininova.api.validation import takes
from mininova.api.views.times import bare
from mininova.db import instance_search
from mininova.objects import Instance

Json = dict[str, Any]
Period = tuple[datetime, datetime]

PATH = "os-simple-tenant-usage"
FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
# Summed up over the servers: what each uses for all of its hours.
TOTALS = {"total_memory_mb_usage": "memory_mb", "total_vcpus_usage": "vcpus", "total_local_gb_usage": "local_gb"}


@takes(query=schemas.INDEX)
def index(request: ComputeRequest) -> Json:
    """Show the usage of each project."""
    request.require("os-simple-tenant-usage:list")
    period, ran = _read(request, None)
    detailed = request.query.get("detailed") == "1"
    by_project = groupby(ran, lambda instance: instance.project_id)
    answer: Json = {"tenant_usages": [_usage(project, servers, period, detailed) for project, servers in by_project]}
    return answer | _links(request, "tenant_usages_links", PATH, ran)


@takes(query=schemas.SHOW)
def show(request: ComputeRequest, id: str) -> Json:
    """Show the usage of a project, server by server."""
    request.require("os-simple-tenant-usage:show", project_id=id)
    period, ran = _read(request, id)
    answer: Json = {"tenant_usage": _usage(id, ran, period, detailed=True) if ran else {}}
    return answer | _links(request, "tenant_usage_links", f"{PATH}/{id}", ran)


# ---- which servers


def _read(request: ComputeRequest, project_id: str | None) -> tuple[Period, list[Instance]]:
    """Read the servers that ran in the period of a request: a page of them."""
    beginning, end = _period(request)
    marker = marker_of(request) if _is_paged(request) else None
    with request.cloud.db.read() as tx:
        try:
            ran = instance_search.ran_between(
                tx, beginning, end, project_id=project_id, limit=_limit(request), marker=marker
            )
        except errors.InvalidInput as reason:
            raise errors.InvalidInput(f"Marker {marker} could not be found.") from reason
    return (beginning, end), ran


def _is_paged(request: ComputeRequest) -> bool:
    return request.api_version >= (2, 40)


def _limit(request: ComputeRequest) -> int:
    most: int = request.cloud.conf.api.max_limit
    return limit_of(request) if _is_paged(request) else most


def _links(request: ComputeRequest, name: str, path: str, ran: list[Instance]) -> Json:
    last = ran[-1].uuid if ran else ""
    links = next_page(request, path, ran, _limit(request), last) if _is_paged(request) else []
    return {name: links} if links else {}


def _period(request: ComputeRequest) -> Period:
    """Read the period, which ends now at the latest.

    :raises errors.InvalidInput: when it is none
    """
    now = datetime.now(UTC)
    beginning = _moment(request.query.get("start"), now - timedelta(microseconds=1))
    end = _moment(request.query.get("end"), now)
    if not beginning < end:
        raise errors.InvalidInput("Invalid start time. The start time cannot occur after the end time.")
    return beginning, min(end, now)


def _moment(text: str | None, default: datetime) -> datetime:
    if not text:
        return default
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise errors.InvalidInput("Invalid datetime string: Datetime is in invalid format")


# ---- how they look


def _usage(project_id: str, ran: Iterable[Instance], period: Period, detailed: bool) -> Json:
    servers = [_server(instance, period) for instance in ran]
    totals = {name: sum(it[what] * it["hours"] for it in servers) for name, what in TOTALS.items()}
    return {
        "tenant_id": project_id,
        "start": bare(period[0]),
        "stop": bare(period[1]),
        "total_hours": sum(it["hours"] for it in servers),
        **totals,
        **({"server_usages": servers} if detailed else {}),
    }


def _server(instance: Instance, period: Period) -> Json:
    flavor, launched, ended = instance.flavor, instance.launched_at or period[1], instance.terminated_at
    gone = ended is not None or instance.vm_state == states.SOFT_DELETED
    charged = min(ended or period[1], period[1]) - max(launched, period[0])
    return {
        "instance_id": instance.uuid,
        "name": instance.display_name,
        "tenant_id": instance.project_id,
        "flavor": flavor.name,
        "memory_mb": flavor.memory_mb,
        "vcpus": flavor.vcpus,
        "local_gb": flavor.root_gb + flavor.ephemeral_gb,
        "hours": max(charged.total_seconds(), 0.0) / 3600,
        "started_at": bare(launched),
        "ended_at": bare(ended),
        "uptime": int(((ended or datetime.now(UTC)) - launched).total_seconds()),
        "state": "terminated" if gone else instance.vm_state,
    }
