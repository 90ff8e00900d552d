"""``/snapshots``: lists, one snapshot, its metadata, and what an administrator does to it."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from mininova import errors
from mininova.standins.cinder import documents, policy, query, schemas
from mininova.standins.cinder.db.things import SNAPSHOTS
from mininova.standins.cinder.documents import Json
from mininova.standins.cinder.handlers.volumes import without
from mininova.standins.cinder.schemas import checked, named, truth
from mininova.standins.cinder.service import Service
from mininova.standins.cinder.volumes import Volumes
from mininova.wsgi import Reply, Request, Route


class SnapshotHandlers:
    """Handlers of what can be asked of snapshots."""

    def __init__(self, service: Service) -> None:
        self._db, self._volumes = service.db, Volumes(service.db)

    def routes(self) -> list[Route]:
        """Give the routes of snapshots."""
        one = "/snapshots/<id>"
        return [
            Route("GET", "/snapshots", self.index),
            Route("POST", "/snapshots", self.create),
            Route("GET", "/snapshots/detail", self.detail),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/metadata", self.metadata),
            Route("POST", f"{one}/metadata", self.add_metadata),
            Route("PUT", f"{one}/metadata", self.set_metadata),
            Route("DELETE", f"{one}/metadata/<key>", self.delete_meta),
            Route("POST", f"{one}/action", self.reset, "os-reset_status"),
            Route("POST", f"{one}/action", self.force_delete, "os-force_delete"),
        ]

    def index(self, request: Request) -> Json:
        """List snapshots in short."""
        return self._list(request, in_detail=False)

    def detail(self, request: Request) -> Json:
        """List snapshots."""
        return self._list(request, in_detail=True)

    def _list(self, request: Request, *, in_detail: bool) -> Json:
        with self._db.read() as tx:
            found = SNAPSHOTS.search(tx, project_id=query.projects(request))
        names = ("id", "name", "description", "status", "volume_id", "size", "user_id", "metadata")
        fields: dict[str, Callable[[Any], Any]] = {name: attrgetter(name) for name in names} | {
            "display_name": attrgetter("name"),
            "consumes_quota": lambda it: True,
        }
        return query.answer(
            request, "snapshots", found, fields, lambda it: documents.snapshot(request, it, in_detail=in_detail)
        )

    def show(self, request: Request, id: str) -> Json:
        """Show a snapshot."""
        with self._db.read() as tx:
            return {"snapshot": documents.snapshot(request, self._volumes.find_snapshot(tx, request.context, id))}

    def create(self, request: Request) -> Reply:
        """Take a snapshot of a volume."""
        body = checked(request.body_of("snapshot"), schemas.NEW_SNAPSHOT)
        said = {**named(body), "metadata": body.get("metadata") or {}}
        force = truth(body.get("force"))
        if request.api_version >= (3, 66):
            if "force" in body and not force:
                raise errors.InvalidInput("Invalid value for 'force': it is not taken any more, and all are forced.")
            force = True
        made = self._volumes.snapshot(request.context, body["volume_id"], said, force=force)
        return Reply(202, {"snapshot": documents.snapshot(request, made, in_detail=False)})

    def update(self, request: Request, id: str) -> Json:
        """Change what is said of a snapshot."""
        said = named(checked(request.body_of("snapshot"), schemas.CHANGED))
        changed = self._volumes.update_snapshot(request.context, id, "volume:update_snapshot", lambda it: said)
        return {"snapshot": documents.snapshot(request, changed)}

    def delete(self, request: Request, id: str) -> Reply:
        """Delete a snapshot."""
        self._volumes.delete_snapshot(request.context, id)
        return Reply(202)

    def metadata(self, request: Request, id: str) -> Json:
        """Show the metadata of a snapshot."""
        with self._db.read() as tx:
            return {"metadata": self._volumes.find_snapshot(tx, request.context, id).metadata}

    def add_metadata(self, request: Request, id: str) -> Json:
        """Add to the metadata of a snapshot."""
        added = checked(request.document, schemas.METADATA)["metadata"]
        return {"metadata": self._write(request, id, lambda was: {**was, **added})}

    def set_metadata(self, request: Request, id: str) -> Json:
        """Replace the metadata of a snapshot."""
        given = checked(request.document, schemas.METADATA)["metadata"]
        return {"metadata": self._write(request, id, lambda was: given)}

    def delete_meta(self, request: Request, id: str, key: str) -> Reply:
        """Delete one item."""
        self._write(request, id, lambda was: without(was, key))
        return Reply(200)

    def _write(self, request: Request, id: str, of: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
        action = "volume:update_snapshot_metadata"
        changed = self._volumes.update_snapshot(request.context, id, action, lambda it: {"metadata": of(it.metadata)})
        return changed.metadata

    def reset(self, request: Request, id: str) -> Reply:
        """Overwrite the status of a snapshot (for administrators)."""
        policy.require_admin(request.context, "volume_extension:snapshot_admin_actions:reset_status")
        body = checked(request.document["os-reset_status"], schemas.ACTIONS["os-reset_status"])
        status = body.get("status")
        if status not in ("available", "error", "creating", "deleting", "error_deleting"):
            raise errors.InvalidInput(f"Invalid input for status: '{status!s:.50}' is no status of a snapshot.")
        self._volumes.update_snapshot(request.context, id, "volume:update_snapshot", lambda it: {"status": status})
        return Reply(202)

    def force_delete(self, request: Request, id: str) -> Reply:
        """Delete a snapshot in whatever state it is (for administrators)."""
        policy.require_admin(request.context, "volume_extension:snapshot_admin_actions:force_delete")
        self._volumes.delete_snapshot(request.context, id, force=True)
        return Reply(202)
