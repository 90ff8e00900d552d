"""How many volumes and snapshots a project may have: Cinder's defaults, and what an administrator says instead."""

from collections.abc import Mapping

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.cinder.db import things
from mininova.standins.cinder.db.things import TYPES, VolumeType

UNLIMITED = -1
#: Cinder's defaults.  There are no backups and no groups here, but clients ask for their limits.
DEFAULTS: Mapping[str, int] = {
    "volumes": 10,
    "snapshots": 10,
    "gigabytes": 1000,
    "per_volume_gigabytes": UNLIMITED,
    "backups": 10,
    "backup_gigabytes": 1000,
    "groups": 10,
}
COUNTED = ("volumes", "snapshots", "gigabytes")


def limits(tx: Connection, project_id: str) -> dict[str, int]:
    """Give what a project may have, of each type of volumes, too."""
    said = things.LIMITS.read(tx, project_id)
    return {name: said.get(name, default) for name, default in defaults(tx).items()}


def defaults(tx: Connection) -> dict[str, int]:
    """Give what a project may have of which nothing else is said."""
    types = {f"{name}_{each.name}": UNLIMITED for each in TYPES.search(tx) for name in COUNTED}
    return {**DEFAULTS, **types}


def used(tx: Connection, project_id: str) -> dict[str, int]:
    """Give what a project has, of each type of volumes, too."""
    found = {**dict.fromkeys(DEFAULTS, 0), **things.used(tx, project_id)}
    for each in TYPES.search(tx):
        found |= {f"{name}_{each.name}": had for name, had in things.used(tx, project_id, each.id).items()}
    return found


def require_room(tx: Connection, project_id: str, type_: VolumeType, size: int, what: str = "volumes") -> None:
    """Refuse what would be more than a project may have.

    :param size: how many GiB there will be more
    :param what: ``volumes`` or ``snapshots``, of which there will be one more; ``gigabytes``, if a volume grows
    :raises errors.OverLimit: when it would
    """
    limits_, had = limits(tx, project_id), used(tx, project_id)
    for name in (what, f"{what}_{type_.name}"):
        if what != "gigabytes" and UNLIMITED < limits_[name] < had[name] + 1:
            kind = "Volume" if what == "volumes" else "Snapshot"
            raise errors.OverLimit(
                f"{kind}LimitExceeded: Maximum number of {what} allowed ({limits_[name]}) exceeded for quota '{name}'."
            )
    for name in ("gigabytes", f"gigabytes_{type_.name}"):
        if UNLIMITED < limits_[name] < had[name] + size:
            raise errors.OverLimit(
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
                f"{name} quota. Requested {size}G, quota is {limits_[name]}G and {had[name]}G has been consumed."
            )


def require_small(tx: Connection, project_id: str, size: int) -> None:
    """Refuse a volume that is larger than each of a project may be.

    :raises errors.OverLimit: when it is
    """
    most = limits(tx, project_id)["per_volume_gigabytes"]
    if UNLIMITED < most < size:
        raise errors.OverLimit(
            f"VolumeSizeExceedsLimit: Requested volume size {size}G is larger than maximum allowed limit {most}G."
        )
