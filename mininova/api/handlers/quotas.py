"""Limits and quotas over HTTP, to be read: a single request has limits, a project has none.

Each request counts what a project uses from its instances.
"""

from typing import Any

from mininova import errors
from mininova.api.other_services import require_project
from mininova.api.request import ComputeRequest
from mininova.api.schemas import quotas as schemas
from mininova.api.validation import takes
from mininova.db import instance_search

Json = dict[str, Any]

# By Nova's names.  -1 means that we enforce no limit; the others are Nova's defaults (nova: conf/quota.py).
LIMITS = {
    "cores": -1,
    "instances": -1,
    "key_pairs": -1,
    "metadata_items": 128,
    "ram": -1,
    "server_groups": -1,
    "server_group_members": -1,
    "injected_files": 5,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "fixed_ips": -1,
    "floating_ips": -1,
    "security_groups": -1,
    "security_group_rules": -1,
}

# The fields that left a quota set, and with which microversion.
NETWORK = ("fixed_ips", "floating_ips", "security_groups", "security_group_rules")
FILES = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
LOST = {(2, 36): NETWORK, (2, 57): FILES}

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


def require_within(what: str, number: int) -> None:
    """Refuse more of something than a limit allows.

    :param what: a key of LIMITS
    :raises errors.QuotaExceeded: naming the limit
    """
    if number > LIMITS[what]:
        raise errors.QuotaExceeded(what=what.replace("_", " "), limit=LIMITS[what])


@takes(query=schemas.LIMITS)
def limits(request: ComputeRequest) -> Json:
    """Show the limits of a project, and its use of them."""
    project_id = request.query.get("tenant_id", request.context.project_id) or ""
    request.require("limits")
    if project_id != request.context.project_id:
        request.require("limits:other_project")
    version, used = request.api_version, _usage(request, project_id)
    absolute = {name: LIMITS[what] for name, (what, until) in ABSOLUTE.items() if version <= until}
    absolute |= {
        "totalCoresUsed": used["cores"],
        "totalInstancesUsed": used["instances"],
        "totalRAMUsed": used["ram"],
        "totalServerGroupsUsed": 0,
    }
    if version < (2, 36):
        absolute |= {"totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0}
    return {"limits": {"rate": [], "absolute": absolute}}


@takes(query=schemas.QUOTAS)
def show(request: ComputeRequest, id: str) -> Json:
    """Show a project's quotas."""
    request.require("os-quota-sets:show", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    return {"quota_set": {"id": id, **_limits_in(request)}}


@takes(query=schemas.QUOTAS)
def detail(request: ComputeRequest, id: str) -> Json:
    """Show a project's quotas, and its use of them."""
    request.require("os-quota-sets:detail", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    used = _usage(request, id)
    details = {
        what: {"limit": limit, "in_use": used.get(what, 0), "reserved": 0}
        for what, limit in _limits_in(request).items()
    }
    return {"quota_set": {"id": id, **details}}


def defaults(request: ComputeRequest, id: str) -> Json:
    """Show the default quotas."""
    request.require("os-quota-sets:defaults", project_id=id)
    require_project(request.cloud.projects, request.context, id)
    return {"quota_set": {"id": id, **_limits_in(request)}}


def _limits_in(request: ComputeRequest) -> dict[str, int]:
    lost = {name for since, names in LOST.items() if request.api_version >= since for name in names}
    return {name: limit for name, limit in LIMITS.items() if name not in lost}


def _usage(request: ComputeRequest, project_id: str) -> dict[str, int]:
    with request.cloud.db.read() as tx:
        return instance_search.usage(tx, project_id)
