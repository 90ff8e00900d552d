"""The tables of Nova, as the code knows them; the stand-ins have theirs in packages of their own.

Where a table has a struct of its own in mininova/objects, the columns are named as the fields; db/rows.py rests on
it.  Only db/ imports this.
"""

from mininova.db.models.base import metadata
from mininova.db.models.host import (
    aggregate_hosts,
    aggregates,
    allocations,
    compute_nodes,
    denials,
    host_limits,
    identities,
    services,
    task_log,
)
from mininova.db.models.instance import (
    block_devices,
    console_auth_tokens,
    instance_action_events,
    instance_actions,
    instance_faults,
    instance_tags,
    instances,
    migrations,
    ports,
    unneeded_images,
)
from mininova.db.models.project import (
    flavor_projects,
    flavors,
    key_pairs,
    quota_classes,
    quota_sets,
    request_specs,
    server_groups,
)

__all__ = [
    "aggregate_hosts",
    "aggregates",
    "allocations",
    "block_devices",
    "compute_nodes",
    "console_auth_tokens",
    "denials",
    "flavor_projects",
    "flavors",
    "host_limits",
    "identities",
    "instance_action_events",
    "instance_actions",
    "instance_faults",
    "instance_tags",
    "instances",
    "key_pairs",
    "metadata",
    "migrations",
    "ports",
    "quota_classes",
    "quota_sets",
    "request_specs",
    "server_groups",
    "services",
    "task_log",
    "unneeded_images",
]
