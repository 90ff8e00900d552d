"""``/attachments``: which server has which volume, from microversion 3.27."""

from collections.abc import Callable, Mapping
from typing import Any

from mininova.standins.cinder import documents, query, schemas
from mininova.standins.cinder.attachments import Attachments
from mininova.standins.cinder.db.things import ATTACHMENTS, Attachment
from mininova.standins.cinder.documents import Json
from mininova.standins.cinder.schemas import checked
from mininova.standins.cinder.service import Service
from mininova.standins.cinder.volumes import Volumes
from mininova.wsgi import Reply, Request, Route

#: By what a list of attachments can be chosen and sorted.
KNOWN: Mapping[str, Callable[[Attachment], Any]] = {
    "id": lambda it: it.id,
    "status": lambda it: it.status,
    "volume_id": lambda it: it.volume_id,
    "instance_id": lambda it: it.instance_uuid,
    "instance_uuid": lambda it: it.instance_uuid,
}


class AttachmentHandlers:
    """Handlers of what can be asked of attachments."""

    def __init__(self, service: Service) -> None:
        self._db, self._attachments = service.db, Attachments(Volumes(service.db))

    def routes(self) -> list[Route]:
        """Give the routes of attachments."""
        one = "/attachments/<id>"
        return [
            Route("GET", "/attachments", self.index, since="3.27"),
            Route("POST", "/attachments", self.create, since="3.27"),
            Route("GET", "/attachments/detail", self.detail, since="3.27"),
            Route("GET", one, self.show, since="3.27"),
            Route("PUT", one, self.update, since="3.27"),
            Route("DELETE", one, self.delete, since="3.27"),
            Route("POST", f"{one}/action", self.complete, "os-complete", since="3.44"),
        ]

    def index(self, request: Request) -> Json:
        """List attachments in short."""
        return self._list(request, in_detail=False)

    def detail(self, request: Request) -> Json:
        """List attachments."""
        return self._list(request, in_detail=True)

    def _list(self, request: Request, *, in_detail: bool) -> Json:
        with self._db.read() as tx:
            found = ATTACHMENTS.search(tx, project_id=query.projects(request))
        return query.answer(
            request, "attachments", found, KNOWN, lambda it: documents.attachment(it, in_detail=in_detail)
        )

    def show(self, request: Request, id: str) -> Json:
        """Show an attachment."""
        with self._db.read() as tx:
            return {"attachment": documents.attachment(self._attachments.find(tx, request.context, id))}

    def create(self, request: Request) -> Json:
        """Keep a volume for a server."""
        body = checked(request.body_of("attachment"), schemas.NEW_ATTACHMENT)
        made = self._attachments.create(
            request.context, body["volume_uuid"], body.get("instance_uuid"), body.get("connector"),
            body.get("mode", "rw"),
        )  # fmt: skip
        return {"attachment": documents.attachment(made)}

    def update(self, request: Request, id: str) -> Json:
        """Tell on which host the server is."""
        body = checked(request.body_of("attachment"), schemas.CONNECTOR)
        changed = self._attachments.connect(request.context, id, body["connector"])
        return {"attachment": documents.attachment(changed)}

    def delete(self, request: Request, id: str) -> Json:
        """End an attachment."""
        left = self._attachments.delete(request.context, id)
        return {"attachments": [documents.attachment(each, in_detail=False) for each in left]}

    def complete(self, request: Request, id: str) -> Reply:
        """Say that the server has the volume."""
        self._attachments.complete(request.context, id)
        return Reply(204)
