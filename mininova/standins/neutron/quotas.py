"""How much a project may have of each kind of thing: Neutron's defaults, and what an administrator says instead.

A limit is for what users make.  The ports that Nova makes for servers count, and none of them is refused: how many
servers a project has is Nova's to limit.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors
from mininova.db import ports
from mininova.db.kinds import Kind
from mininova.db.session import Connection
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.db.things import FLOATING_IPS, LIMITS, NETWORKS, ROUTERS, SUBNETS

UNLIMITED = -1
#: Neutron's.  There are no subnet pools and no RBAC policies here, but clients ask for their limits.
DEFAULTS: Mapping[str, int] = {
    "network": 100,
    "subnet": 100,
    "port": 500,
    "router": 10,
    "floatingip": 50,
    "security_group": 10,
    "security_group_rule": 100,
    "subnetpool": UNLIMITED,
    "rbac_policy": 10,
}


def _things(kind: Kind[Any]) -> Callable[[Connection, str], int]:
    return lambda tx, project_id: len(kind.search(tx, project_id=[project_id]))


def _rules(tx: Connection, project_id: str) -> int:
    return sum(map(len, security_groups.rules(tx, security_groups.search(tx, project_id)).values()))


_COUNT: Mapping[str, Callable[[Connection, str], int]] = {
    "network": _things(NETWORKS),
    "subnet": _things(SUBNETS),
    "router": _things(ROUTERS),
    "floatingip": _things(FLOATING_IPS),
    "port": lambda tx, project_id: len(ports.search(tx, project_id)),
    "security_group": lambda tx, project_id: len(security_groups.search(tx, project_id)),
    "security_group_rule": _rules,
}


def limits(tx: Connection, project_id: str) -> dict[str, int]:
    """Give what a project may have."""
    return {**DEFAULTS, **LIMITS.read(tx, project_id)}


def used(tx: Connection, project_id: str) -> dict[str, int]:
    """Count what a project has."""
    return {name: _COUNT[name](tx, project_id) if name in _COUNT else 0 for name in DEFAULTS}


def require_room(tx: Connection, project_id: str, resource: str) -> None:
    """Refuse one more than a project may have; two that are made at once may both find room.

    :raises errors.Conflict: when there is no room for it
    """
    most = limits(tx, project_id)[resource]
    if UNLIMITED < most <= _COUNT[resource](tx, project_id):
        raise errors.Conflict(f"Quota exceeded for resources: ['{resource}'].")


def require_enough(tx: Connection, project_id: str, limits: Mapping[str, int]) -> None:
    """Refuse limits below what a project has.

    :raises errors.InvalidInput: naming the first of them
    """
    had = used(tx, project_id)
    for name, most in limits.items():
        if UNLIMITED < most < had[name]:
            raise errors.InvalidInput(
                f"Quota limit {most} for {name} must be greater than or equal to already used {had[name]}."
            )
