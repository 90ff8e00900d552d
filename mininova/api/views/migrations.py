"""What every migration shows, in the list of all of them and among those of its server."""

from typing import Any

from mininova.api.request import ComputeRequest
from mininova.api.views.times import bare
from mininova.db.server_migrations import MigrationRecord


def common(request: ComputeRequest, migration: MigrationRecord) -> dict[str, Any]:
    """Show what both have."""
    shown: dict[str, Any] = {
        "id": migration.id,
        "status": migration.status,
        "dest_host": None,
        "created_at": bare(migration.created_at),
        "updated_at": bare(migration.updated_at),
    }
    if request.api_version >= (2, 59):
        shown["uuid"] = migration.uuid
    if request.api_version >= (2, 80):
        shown |= {"project_id": migration.project_id, "user_id": migration.user_id}
    return shown
