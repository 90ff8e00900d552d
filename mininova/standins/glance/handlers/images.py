"""``/v2/images``: list, show, create, change, delete; tags, and taking an image out of use."""

import uuid
from typing import Any
from urllib.parse import urlencode

import msgspec

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.glance import documents, patch, policy, query, schemas
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE, DEACTIVATED, QUEUED, Image
from mininova.standins.glance.service import Service
from mininova.wsgi import Reply, Request


class Images:
    """Handlers of images themselves."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def index(self, request: Request) -> dict[str, Any]:
        """List images, page by page."""
        asked = list(request.GET.items())
        page = query.parse(asked, self._service.max_limit)
        with self._service.db.read() as tx:
            viewer = policy.viewer(request.context)
            found = images.search(tx, page.wanted, viewer, limit=page.limit, marker=page.marker, sort=page.sort)
        answer: dict[str, Any] = {"images": [documents.image_document(image) for image in found]}
        again = [(name, text) for name, text in asked if name != "marker"]
        if found and len(found) == page.limit:
            answer["next"] = f"/v2/images?{urlencode([*again, ('marker', found[-1].id)])}"
        answer["first"] = f"/v2/images?{urlencode(again)}" if again else "/v2/images"
        return {**answer, "schema": "/v2/schemas/images"}

    def show(self, request: Request, image_id: str) -> dict[str, Any]:
        """Show an image."""
        with self._service.db.read() as tx:
            return documents.image_document(images.get(tx, image_id, policy.viewer(request.context)))

    def create(self, request: Request) -> Reply:
        """Make an image, as yet without data."""
        policy.require_member(request.context)
        values = request.document
        if not isinstance(values, dict):
            raise errors.InvalidInput("The request body must be a JSON object with the image's attributes.")
        schemas.check(values)
        defaults = {"id": str(uuid.uuid4()), "owner": request.context.project_id}
        image = Image(**{**defaults, **documents.columns(values)})
        policy.require_may_say(request.context, None, image)
        with self._service.db.write() as tx:
            image = images.create(tx, image)
        headers = {
            "Location": self._service.link(request, f"/v2/images/{image.id}"),
            "OpenStack-image-import-methods": ",".join(schemas.IMPORT_METHODS),
        }
        return Reply(201, documents.image_document(image), headers)

    def update(self, request: Request, image_id: str) -> dict[str, Any]:
        """Change what an image says, by a list of operations."""
        if request.content_type not in patch.FORMS:
            raise errors.UnsupportedMediaType()
        changes = patch.parse(request.document, request.content_type)
        with self._service.db.write() as tx:
            before = self._own(tx, request, image_id)
            values = patch.apply(changes, documents.said(before))
            schemas.check(values)
            columns = documents.columns(values)
            after = msgspec.structs.replace(before, **columns)
            policy.require_may_say(request.context, before, after)
            _require_same_data(before, after)
            return documents.image_document(images.update(tx, image_id, **columns))

    def delete(self, request: Request, image_id: str) -> None:
        """Delete an image and its data, unless it is protected."""
        with self._service.db.write() as tx:
            image = self._own(tx, request, image_id)
            if image.protected:
                raise errors.NotAllowed(f"Image {image_id} is protected and cannot be deleted.")
            images.delete(tx, image_id)
        self._service.store.remove(image.location)

    def deactivate(self, request: Request, image_id: str) -> None:
        """Refuse the image's data to all but administrators, until it is reactivated."""
        self._set_status(request, image_id, DEACTIVATED)

    def reactivate(self, request: Request, image_id: str) -> None:
        """Give the image's data again."""
        self._set_status(request, image_id, ACTIVE)

    def add_tag(self, request: Request, image_id: str, tag: str) -> None:
        """Add a tag; adding it again changes nothing."""
        schemas.check({"tags": [tag]})
        with self._service.db.write() as tx:
            image = self._own(tx, request, image_id)
            images.update(tx, image_id, tags=tuple(dict.fromkeys((*image.tags, tag))))

    def remove_tag(self, request: Request, image_id: str, tag: str) -> None:
        """Remove a tag."""
        with self._service.db.write() as tx:
            image = self._own(tx, request, image_id)
            if tag not in image.tags:
                raise errors.NotFound(f"Tag {tag} not found in image {image_id}.")
            images.update(tx, image_id, tags=tuple(other for other in image.tags if other != tag))

    def _set_status(self, request: Request, image_id: str, status: str) -> None:
        with self._service.db.write() as tx:
            image = self._own(tx, request, image_id)
            if image.status not in (ACTIVE, DEACTIVATED):
                raise errors.NotAllowed(f"Image {image_id} is {image.status}: it must be active for this.")
            images.update(tx, image_id, status=status)

    def _own(self, tx: Connection, request: Request, image_id: str) -> Image:
        """Read an image that is to be changed, and make sure that the caller may.

        :raises errors.ImageNotFound: when there is none that the caller may see
        :raises errors.NotAllowed: when it is another's
        """
        image = images.get(tx, image_id, policy.viewer(request.context), lock=True)
        policy.require_owner(request.context, image)
        return image


def _require_same_data(before: Image, after: Image) -> None:
    """Refuse to say that an image's data is of another format than it was sent as.

    :raises errors.NotAllowed: when it has been sent
    """
    for name in ("container_format", "disk_format"):
        if getattr(before, name) != getattr(after, name) and before.status != QUEUED:
            raise errors.NotAllowed(f"Attribute {name} can be only replaced for a queued image.")
