"""What a project may have, and a user in it: the limits that hold, and what they refuse, in Nova's words.

A limit is the user's in the project, else the project's, else that of the default class, else that of the group [quota]
of the configuration.  ``require_room`` is asked in the very transaction that makes what is counted; that one has the
project's turn (mininova/db/quotas.py).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.context import RequestContext
from mininova.db import quotas, server_groups
from mininova.db.quotas import COUNTED, OF_PROJECT, take_turn
from mininova.db.session import Connection
from mininova.objects import Flavor, Instance

__all__ = [
    "COUNTED",
    "OF_PROJECTS_ONLY",
    "RESOURCES",
    "UNLIMITED",
    "Quota",
    "defaults",
    "is_less",
    "read",
    "read_all",
    "require_few_files",
    "require_few_groups",
    "require_few_items",
    "require_few_keys",
    "require_few_members",
    "require_growth",
    "require_room",
    "take_turn",
]  # fmt: skip

Limits = dict[str, int]

UNLIMITED = -1

# What is limited, by Nova's names, and the option of [quota] with its default; what has none is kept for old clients.
RESOURCES: Mapping[str, str | None] = {
    "cores": "cores",
    "fixed_ips": None,
    "floating_ips": None,
    "injected_file_content_bytes": "injected_file_content_bytes",
    "injected_file_path_bytes": "injected_file_path_length",
    "injected_files": "injected_files",
    "instances": "instances",
    "key_pairs": "key_pairs",
    "metadata_items": "metadata_items",
    "ram": "ram",
    "security_group_rules": None,
    "security_groups": None,
    "server_group_members": "server_group_members",
    "server_groups": "server_groups",
}
# Those that a user cannot have a limit of apart from the project's.
OF_PROJECTS_ONLY = frozenset({"fixed_ips", "floating_ips"})


@dataclass(frozen=True)
class Quota:
    """The limits that hold for a project and a user in it, and what they use.

    :param default: the limits of a project for which none was set
    :param project: those of all of the project together
    :param user: those of the user in it
    :param recorded: what was set, and what is used
    """

    default: Limits
    project: Limits
    user: Limits
    recorded: quotas.Quotas

    @property
    def is_users(self) -> bool:
        """Tell whether the user has a limit of instances, cores or ram."""
        return any(name in self.recorded.user for name in COUNTED)


def defaults(conf: ConfigOpts, of_class: Limits) -> Limits:
    """Give the limits of a class: those that were set for it, else those of the configuration."""
    return {name: of_class.get(name, conf.quota[option] if option else UNLIMITED) for name, option in RESOURCES.items()}


def read(
    tx: Connection, conf: ConfigOpts, project_id: str | None, user_id: str | None = None, *, count: bool = True
) -> Quota:
    """Read the limits of a project and a user in it, and what they use.

    :param count: False leaves out what they use, where no limit was set
    """
    return _of(conf, quotas.read(tx, project_id or "", user_id or OF_PROJECT, count=count))


def read_all(tx: Connection, conf: ConfigOpts, project_id: str, user_id: str | None = None) -> Quota:
    """Read the limits of a project and a user in it, and all that they use: the server groups, too."""
    recorded, groups = quotas.read(tx, project_id, user_id or OF_PROJECT), server_groups.count(tx, project_id)
    return _of(
        conf,
        msgspec.structs.replace(
            recorded,
            used=recorded.used | {"server_groups": sum(groups.values())},
            used_by_user=recorded.used_by_user | {"server_groups": groups.get(user_id or OF_PROJECT, 0)},
        ),
    )


def _of(conf: ConfigOpts, recorded: quotas.Quotas) -> Quota:
    default = defaults(conf, recorded.defaults)
    project = {**default, **recorded.project}
    return Quota(default, project, {**project, **recorded.user}, recorded)


def is_less(one: int, other: int) -> bool:
    """Compare two limits, either of which may be none."""
    return one != UNLIMITED and (other == UNLIMITED or one < other)


# ---- what is counted


def require_room(
    tx: Connection,
    conf: ConfigOpts,
    project_id: str | None,
    user_id: str | None,
    new: Sequence[Flavor],
    least: int | None = None,
) -> Quota:
    """Refuse instances that were just written if their project has too many with them.

    The transaction has the project's turn.

    :param new: the flavor of each of them
    :param least: how many would do as well; None means all
    :raises errors.TooManyInstances: naming what is exceeded; the transaction must not be committed
    """
    count = any(conf.quota[name] != UNLIMITED for name in COUNTED)
    quota = read(tx, conf, project_id, user_id, count=count)
    adds = _sum(new)
    scopes = [(quota.project, quota.recorded.used)]
    if quota.is_users:
        scopes.append((quota.user, quota.recorded.used_by_user))
    for limits, used in scopes:
        overs = sorted(name for name in COUNTED if 0 <= limits[name] < used[name])
        if overs:
            fits = min(
                _fitting(new[0], limits, before) for limits, before in ((it, _less(u, adds)) for it, u in scopes)
            )
            raise _too_many(overs, limits, _less(used, adds), adds, least, fits)
    return quota


def require_growth(tx: Connection, conf: ConfigOpts, instance: Instance, flavor: Flavor) -> None:
    """Refuse another flavor for an instance if its project would use too much of what the flavor has more of.

    The transaction has the project's turn.

    :raises errors.TooManyInstances: naming what would be exceeded
    """
    adds = quotas.growth(instance.flavor, flavor)
    if not any(adds.values()):
        return
    count = any(conf.quota[name] != UNLIMITED for name in COUNTED)
    quota = read(tx, conf, instance.project_id, instance.user_id, count=count)
    scopes = [(quota.project, quota.recorded.used)]
    if quota.is_users:
        scopes.append((quota.user, quota.recorded.used_by_user))
    for limits, used in scopes:
        overs = sorted(name for name in COUNTED if adds[name] and 0 <= limits[name] < used[name] + adds[name])
        if overs:
            raise _too_many(overs, limits, used, adds, None, 0)


def _sum(flavors: Sequence[Flavor]) -> Limits:
    """Tell what instances of some flavors use together."""
    each = [quotas.uses(flavor) for flavor in flavors]
    return {name: sum(uses[name] for uses in each) for name in COUNTED}


def _less(used: Limits, adds: Limits) -> Limits:
    return {name: used[name] - adds[name] for name in COUNTED}


def _fitting(flavor: Flavor, limits: Limits, used: Limits) -> int:
    """Tell how many instances of a flavor keep some limits."""
    uses = quotas.uses(flavor)
    limited = [name for name in COUNTED if uses[name] and limits[name] != UNLIMITED]
    return min((max(limits[name] - used[name], 0) // uses[name] for name in limited), default=sys.maxsize)


def _too_many(
    overs: list[str], limits: Limits, used: Limits, adds: Limits, least: int | None, fits: int
) -> errors.TooManyInstances:
    wanted: dict[str, Any] = dict(adds)
    if least is not None and least != adds["instances"]:
        wanted["instances"] = f"{least}-{adds['instances']}"

    def listed(values: Mapping[str, Any]) -> str:
        return ", ".join(str(values[name]) for name in overs)

    return errors.TooManyInstances(
        overs=", ".join(overs), req=listed(wanted), used=listed(used), allowed=listed(limits), fits=fits
    )


# ---- what one request, or one user, may have


def require_few_items(quota: Quota, metadata: Mapping[str, str]) -> None:
    """Refuse too much metadata of one instance.

    :raises errors.QuotaExceeded: naming the limit
    """
    if _is_over(quota, "metadata_items", len(metadata)):
        raise errors.QuotaExceeded(what="metadata items", limit=quota.project["metadata_items"])


def require_few_files(quota: Quota, files: Sequence[Mapping[str, str]]) -> None:
    """Check the files to inject: we accept and drop them, since no fake guest has a disk.

    :raises errors.QuotaExceeded: when they are too many or too long
    """
    if not files:
        return
    if _is_over(quota, "injected_files", len(files)):
        raise errors.QuotaExceeded("Personality file limit exceeded")
    longest = {
        "path": ("injected_file_path_bytes", max(len(file.get("path", "")) for file in files)),
        "content": ("injected_file_content_bytes", max(len(file.get("contents", "")) for file in files)),
    }
    for what, (name, length) in longest.items():
        if _is_over(quota, name, length):
            raise errors.QuotaExceeded(f"Personality file {what} exceeds maximum {quota.project[name]}")


def _is_over(quota: Quota, name: str, number: int) -> bool:
    return any(0 <= limits[name] < number for limits in (quota.project, quota.user))


def require_few_groups(tx: Connection, conf: ConfigOpts, ctxt: RequestContext) -> None:
    """Refuse a server group that was just written, if it is one more than its project or user may have.

    The transaction has the project's turn.

    :raises errors.TooManyServerGroups: when there are too many
    """
    quota = read_all(tx, conf, ctxt.project_id or "", ctxt.user_id)
    used, used_by_user = quota.recorded.used["server_groups"], quota.recorded.used_by_user["server_groups"]
    if 0 <= quota.project["server_groups"] < used or 0 <= quota.user["server_groups"] < used_by_user:
        raise errors.TooManyServerGroups()


def require_few_members(quota: Quota, tx: Connection, group: str, user_id: str | None) -> None:
    """Refuse servers that were just written, if a user has too many in their group with them.

    :raises errors.TooManyInGroup: when there are too many
    """
    if _is_over(quota, "server_group_members", server_groups.count_members(tx, group, user_id or "")):
        raise errors.TooManyInGroup()


def require_few_keys(tx: Connection, conf: ConfigOpts, ctxt: RequestContext, number: int) -> None:
    """Refuse a key pair more than its user may have.

    :param ctxt: the caller, whose limits they are, as in Nova
    :param number: how many the user has with it
    :raises errors.TooManyKeyPairs: when there are too many
    """
    quota = read(tx, conf, ctxt.project_id, ctxt.user_id, count=False)
    if 0 <= min(quota.project["key_pairs"], quota.user["key_pairs"]) < number:
        raise errors.TooManyKeyPairs()
