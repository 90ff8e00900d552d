"""A server's live migrations over HTTP (2.23), as long as they go on.

A fake hypervisor counts no bytes.  What is told of the memory follows from the step: all of it is on its way, or all of
it has arrived.  There is no disk to tell of.
"""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas.types import action
from mininova.api.validation import takes
from mininova.api.views.migrations import common
from mininova.db import server_migrations
from mininova.db.server_migrations import MigrationRecord
from mininova.wsgi import Reply

Json = dict[str, Any]

LIVE = "live-migration"
IN_PROGRESS = frozenset({"queued", "preparing", "running", "post-migrating"})
OF_HOSTS = ("source_compute", "source_node", "dest_compute", "dest_node")


def index(request: ComputeRequest, server_id: str) -> Json:
    """List the live migration of a server that is in progress, if one is."""
    instance = find(request, server_id, "servers:migrations:index")
    with request.cloud.db.read() as tx:
        found = server_migrations.search(tx, {"instance_uuid": instance.uuid})
    with_hosts = request.allows("servers:migrations:index:host", project_id=instance.project_id)
    going = [each for each in found if each.migration_type == LIVE and each.status in IN_PROGRESS]
    return {"migrations": [_show(request, each, with_hosts) for each in going]}


def show(request: ComputeRequest, server_id: str, id: str) -> Json:
    """Show a live migration of a server that is in progress."""
    uuid = find(request, server_id, "servers:migrations:show").uuid
    with request.cloud.db.read() as tx:
        migration = server_migrations.numbered(tx, uuid, id)
    if migration is None:
        raise errors.NotFound(f"In-progress live migration {id} is not found for server {uuid}.")
    if migration.migration_type != LIVE:
        raise errors.NotFound(f"Migration {id} for server {uuid} is not live-migration.")
    if migration.status not in IN_PROGRESS:
        raise errors.NotFound(f"Live migration {id} for server {uuid} is not in progress.")
    return {"migration": _show(request, migration, with_hosts=True)}


def delete(request: ComputeRequest, server_id: str, id: str) -> Reply:
    """Abort a live migration while the guest is on its way; from 2.65 on also before that."""
    instance = find(request, server_id, "servers:migrations:delete")
    early = () if request.api_version < (2, 65) else ("queued", "preparing")
    request.cloud.live_migrations.abort(request.context, instance, id, ("running", *early))
    return Reply(202)


@takes(body=action("force_complete", {"type": "null"}))
def force_complete(request: ComputeRequest, server_id: str, id: str) -> Reply:
    """Have the guest of a live migration arrive at once."""
    instance = find(request, server_id, "servers:migrations:force_complete")
    request.cloud.live_migrations.force(request.context, instance, id)
    return Reply(202)


def _show(request: ComputeRequest, migration: MigrationRecord, with_hosts: bool) -> Json:
    memory = migration.old_flavor.memory_mb * 1024 * 1024
    return common(request, migration) | {
        "server_uuid": migration.instance_uuid,
        **{name: getattr(migration, name) if with_hosts else None for name in OF_HOSTS},
        "memory_total_bytes": memory,
        "memory_processed_bytes": memory if migration.status == "post-migrating" else None,
        "memory_remaining_bytes": None if migration.status == "post-migrating" else memory,
        **{f"disk_{what}_bytes": None for what in ("total", "processed", "remaining")},
    }
