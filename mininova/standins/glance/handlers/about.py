"""What describes the Image API to clients: schemas, and the answers of what is not built here."""

from typing import Any

from mininova import errors
from mininova.standins.glance import policy, schemas
from mininova.standins.glance.db import images
from mininova.standins.glance.service import Service
from mininova.wsgi import Request


class About:
    """Handlers that say what there is."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._schemas = schemas.documents()

    def schema(self, request: Request, name: str) -> dict[str, Any]:
        """Give a schema document."""
        if name not in self._schemas:
            raise errors.NotFound(f"There is no schema of the name {name}.")
        return self._schemas[name]

    def import_info(self, request: Request) -> dict[str, Any]:
        """List the ways to import an image."""
        methods = {"description": "Import methods available.", "type": "array", "value": list(schemas.IMPORT_METHODS)}
        return {"import-methods": methods}

    def tasks(self, request: Request) -> dict[str, Any]:
        """List tasks: a request is done when it is answered, so there are never any."""
        return {"tasks": [], "first": "/v2/tasks", "schema": "/v2/schemas/tasks"}

    def image_tasks(self, request: Request, image_id: str) -> dict[str, Any]:
        """List the tasks of an image."""
        with self._service.db.read() as tx:
            images.get(tx, image_id, policy.viewer(request.context))
        return {"tasks": []}
