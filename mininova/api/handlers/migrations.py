"""Migrations over HTTP: which servers went from one host to another, or to another flavor, and what became of that."""

from typing import Any

from mininova import errors
from mininova.api.paging import changed_between, limit_of, marker_of, next_page
from mininova.api.request import ComputeRequest
from mininova.api.schemas import migrations as schemas
from mininova.api.validation import takes
from mininova.api.views.migrations import common
from mininova.db import flavors, server_migrations
from mininova.db.server_migrations import MigrationRecord

Json = dict[str, Any]

# What tells of hosts, and is shown to administrators.
OF_HOSTS = ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List migrations, the latest first; those of the caller's project, or an administrator's choice."""
    ctxt, version = request.context, request.api_version
    request.require("os-migrations:index", project_id=ctxt.project_id)
    asked = {name: request.query[name] for name in schemas.FILTERS if name in request.query}
    if version >= (2, 80):
        asked |= {name: request.query[name] for name in schemas.OWNERS if name in request.query}
    if not request.allows("os-migrations:index:all_projects"):
        if asked.get("project_id", ctxt.project_id) != ctxt.project_id:
            raise errors.NotAllowed("Only administrators can list the migrations of another project.")
        asked["project_id"] = ctxt.project_id or ""
    paged, limit = version >= (2, 59), limit_of(request)
    since, before = changed_between(request) if paged else (None, None)
    with request.cloud.db.read() as tx:
        found = server_migrations.search(
            tx,
            asked,
            limit=limit if paged else None,
            marker=marker_of(request) if paged else None,
            changes_since=since,
            changes_before=before,
        )
        ids = flavors.ids(tx, {it.flavor_id for each in found for it in (each.old_flavor, each.new_flavor)})
    answer: Json = {"migrations": [_show(request, each, ids) for each in found]}
    if paged and (links := next_page(request, "os-migrations", found, limit, found[-1].uuid if found else "")):
        answer["migrations_links"] = links
    return answer


def _show(request: ComputeRequest, migration: MigrationRecord, ids: dict[str, int]) -> Json:
    names_flavors = migration.migration_type != "evacuation"  # as in Nova
    shown = common(request, migration) | {
        "instance_uuid": migration.instance_uuid,
        "old_instance_type_id": ids.get(migration.old_flavor.flavor_id) if names_flavors else None,
        "new_instance_type_id": ids.get(migration.new_flavor.flavor_id) if names_flavors else None,
        "source_compute": migration.source_compute,
        "source_node": migration.source_node,
        "dest_compute": migration.dest_compute,
        "dest_node": migration.dest_node,
    }
    if not request.allows("os-migrations:index:host"):
        shown |= dict.fromkeys(OF_HOSTS)
    if request.api_version >= (2, 23):
        shown["migration_type"] = migration.migration_type
    return shown
