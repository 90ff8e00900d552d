"""Which service reads which group of settings: one table.

``mininova.conf`` is shared by the services of a controller, so each of them accepts there what any other of
them reads.  ``mininova-compute.conf`` belongs to a compute node alone, and accepts what compute reads.
"""

from types import ModuleType

from oslo_config import cfg

from mininova.conf import (
    api,
    broker_admin,
    compute,
    database,
    default,
    fake,
    filter_scheduler,
    flow,
    identities,
    identity,
    image,
    metrics,
    network,
    notifications,
    oslo_messaging_notifications,
    oslo_messaging_rabbit,
    scheduler,
    tracing,
    upgrade_levels,
)

CONTROLLER = frozenset({"api", "scheduler", "conductor", "manage"})
SERVICES = CONTROLLER | {"compute"}
EVERYONE = SERVICES | {"flow"}
WATCHED = SERVICES - {"manage"}

READERS: dict[ModuleType, frozenset[str]] = {
    default: EVERYONE,
    flow: EVERYONE,
    oslo_messaging_rabbit: EVERYONE,
    identities: EVERYONE,
    metrics: WATCHED,
    tracing: WATCHED,
    upgrade_levels: EVERYONE,
    notifications: EVERYONE,
    oslo_messaging_notifications: EVERYONE,
    compute: SERVICES,
    network: CONTROLLER,
    database: CONTROLLER,
    broker_admin: frozenset({"manage"}),
    api: frozenset({"api", "manage"}),
    identity: frozenset({"api", "manage"}),
    image: frozenset({"api", "manage"}),
    scheduler: frozenset({"scheduler", "conductor"}),
    filter_scheduler: frozenset({"scheduler"}),
    fake: frozenset({"compute"}),
}

REFUSED = {
    ("compute", "database"): "a compute node reaches the database only through the conductor, and must not hold its "
    "credentials.  Remove the section, or give this service a file of its own with --config-file",
}


def of(service: str) -> list[ModuleType]:
    """Name the groups that a service reads, in the order in which samples and help show them."""
    return [module for module, readers in READERS.items() if service in readers]


def accepted_by(service: str) -> dict[str, dict[str, cfg.Opt]]:
    """Map each section and option that a file for this service may have: its own, and its file mates'."""
    mates = CONTROLLER if service in CONTROLLER else EVERYONE if service == "flow" else {service}
    return {
        module.GROUP.name: {option.dest: option for option in module.OPTIONS}
        for module, readers in READERS.items()
        if readers & mates
    }


def known() -> dict[str, dict[str, cfg.Opt]]:
    """Map every section and option there is."""
    return {module.GROUP.name: {option.dest: option for option in module.OPTIONS} for module in READERS}
