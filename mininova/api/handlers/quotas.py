"""Limits and quotas over HTTP: what a project may have, or a user in it, and what it uses, which is counted each time.

Administrators set the limits of projects and users here; those of a class are in quota_classes.py.
"""

from typing import Any

from mininova import errors
from mininova.api import quotas
from mininova.api.other_services import require_project
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import quotas as schemas
from mininova.api.schemas.types import ANY_QUERY
from mininova.api.validation import takes
from mininova.db import quotas as recorded
from mininova.db.session import Connection
from mininova.wsgi import Reply

Json = dict[str, Any]

# How /limits calls them, and until which microversion it has them.
ABSOLUTE = {
    "maxTotalCores": ("cores", (2, 9999)),
    "maxTotalInstances": ("instances", (2, 9999)),
    "maxTotalRAMSize": ("ram", (2, 9999)),
    "maxTotalKeypairs": ("key_pairs", (2, 9999)),
    "maxServerMeta": ("metadata_items", (2, 9999)),
    "maxServerGroups": ("server_groups", (2, 9999)),
    "maxServerGroupMembers": ("server_group_members", (2, 9999)),
    "maxPersonality": ("injected_files", (2, 56)),
    "maxPersonalitySize": ("injected_file_content_bytes", (2, 56)),
    "maxImageMeta": ("metadata_items", (2, 38)),
    "maxTotalFloatingIps": ("floating_ips", (2, 35)),
    "maxSecurityGroups": ("security_groups", (2, 35)),
    "maxSecurityGroupRules": ("security_group_rules", (2, 35)),
}


@takes(query=schemas.LIMITS)
def limits(request: ComputeRequest) -> Json:
    """Show the limits of a project, and its use of them."""
    project_id = request.query.get("tenant_id", request.context.project_id) or ""
    request.require("limits")
    if project_id != request.context.project_id:
        request.require("limits:other_project")
    quota, version = _read(request, project_id, None), request.api_version
    used = quota.recorded.used
    absolute = {name: quota.project[what] for name, (what, until) in ABSOLUTE.items() if version <= until}
    absolute |= {
        "totalCoresUsed": used["cores"],
        "totalInstancesUsed": used["instances"],
        "totalRAMUsed": used["ram"],
        "totalServerGroupsUsed": used["server_groups"],
    }
    if version < (2, 36):
        absolute |= {"totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0}
    return {"limits": {"rate": [], "absolute": absolute}}


@takes(query=schemas.QUOTAS)
def show(request: ComputeRequest, id: str) -> Json:
    """Show the quotas of a project, or of a user in it."""
    request.require("os-quota-sets:show", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    return {"quota_set": {"id": id, **_shown(request, _read(request, id, _user(request)).user)}}


@takes(query=schemas.QUOTAS)
def detail(request: ComputeRequest, id: str) -> Json:
    """Show the quotas of a project, or of a user in it, and the use of them."""
    request.require("os-quota-sets:detail", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    quota = _read(request, id, _user(request))
    used = _used(quota, _user(request))
    details = {
        what: {"limit": limit, "in_use": used.get(what, 0), "reserved": 0}
        for what, limit in _shown(request, quota.user).items()
    }
    return {"quota_set": {"id": id, **details}}


@takes(query=ANY_QUERY)
def defaults(request: ComputeRequest, id: str) -> Json:
    """Show the quotas of a project for which none were set."""
    request.require("os-quota-sets:defaults", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    return {"quota_set": {"id": id, **_shown(request, _read(request, id, None).default)}}


@takes(body=schemas.UPDATE, query=schemas.QUOTAS)
def update(request: ComputeRequest, id: str) -> Json:
    """Set quotas of a project, or of a user in it."""
    request.require("os-quota-sets:update", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    body, user_id = dict(request.body_of("quota_set")), _user(request)
    forced = str(body.pop("force", False)).lower() in TRUE
    wanted = {name: int(limit) for name, limit in body.items()}
    with request.cloud.db.write() as tx:
        recorded.take_turn(tx, id)
        if not forced:
            _require_settable(request, tx, id, user_id, wanted)
        _record(tx, id, user_id, wanted)
        quota = quotas.read_all(tx, request.cloud.conf, id, user_id)
    return {"quota_set": _shown(request, quota.user)}


@takes(query=schemas.QUOTAS)
def delete(request: ComputeRequest, id: str) -> Reply:
    """Forget what was set for a user in a project, or for a project and all of its users."""
    request.require("os-quota-sets:delete", project_id=id)
    with request.cloud.db.write() as tx:
        recorded.take_turn(tx, id)
        recorded.forget(tx, id, _user(request) or recorded.OF_PROJECT)
    return Reply(202)


def _user(request: ComputeRequest) -> str | None:
    return request.query.get("user_id") or None


def _read(request: ComputeRequest, project_id: str, user_id: str | None) -> quotas.Quota:
    with request.cloud.db.read() as tx:
        return quotas.read_all(tx, request.cloud.conf, project_id, user_id)


def _used(quota: quotas.Quota, user_id: str | None) -> dict[str, int]:
    return quota.recorded.used_by_user if user_id else quota.recorded.used


def _shown(request: ComputeRequest, limits: dict[str, int]) -> dict[str, int]:
    names = schemas.UPDATE.schema(request.api_version)["properties"]["quota_set"]["properties"]
    return {name: limit for name, limit in limits.items() if name in names}


# ---- which limits can be set (nova: quota.py, get_settable_quotas)


def _record(tx: Connection, project_id: str, user_id: str | None, wanted: dict[str, int]) -> None:
    """Write limits down: those that no user can have of its own become the project's."""
    own = {name: limit for name, limit in wanted.items() if user_id and name not in quotas.OF_PROJECTS_ONLY}
    if own:
        recorded.record(tx, project_id, user_id or "", own)
    if others := {name: limit for name, limit in wanted.items() if name not in own}:
        recorded.record(tx, project_id, recorded.OF_PROJECT, others)


def _require_settable(
    request: ComputeRequest, tx: Connection, project_id: str, user_id: str | None, wanted: dict[str, int]
) -> None:
    """Refuse a limit below what is used or was given to users, and a user's beyond what the project has left.

    :raises errors.InvalidInput: naming it
    """
    quota, of_users = quotas.read_all(tx, request.cloud.conf, project_id, user_id), recorded.of_users(tx, project_id)
    used = _used(quota, user_id)
    for name, limit in wanted.items():
        given = sum(limits.get(name, 0) for limits in of_users.values())
        left = quota.project[name] - given
        least, most = used.get(name, 0), quotas.UNLIMITED
        if user_id:
            most = _sum(left, of_users.get(user_id, {}).get(name, 0))
        elif min(quota.project[name], left) > quotas.UNLIMITED:
            least = max(given, least)
        if quotas.is_less(limit, least):
            raise errors.InvalidInput(
                f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved {least}."
            )
        if quotas.is_less(most, limit):
            raise errors.InvalidInput(f"Quota limit {limit} for {name} must be less than or equal to {most}.")


def _sum(left: int, own: int) -> int:
    return quotas.UNLIMITED if min(left, own) <= quotas.UNLIMITED else left + own
