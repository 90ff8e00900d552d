"""How Nova, in the same process, asks for images: by a query, where a real Glance is asked over HTTP.

``image_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

import io
import uuid
from collections.abc import Mapping

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection, Database
from mininova.objects import ImageMeta, ImageQuery, KnownImage
from mininova.standins.glance import policy, upload
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import PRIVATE, QUEUED, SAVING, SHARED, Image, ImageFilter
from mininova.standins.glance.store import Store
from mininova.wsgi import Parts

FORMATS = {"container_format": "bare", "disk_format": "qcow2"}  # of what is made of a server


class ImageService:
    """Reads images as Nova knows them, and keeps those that Nova makes."""

    def __init__(self, db: Database, store: Store) -> None:
        self._db, self._store = db, store

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read one image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        """
        with self._db.read() as tx:
            image = images.get(tx, image_id, policy.viewer(ctxt))
        return _meta(image)

    def create(
        self,
        ctxt: RequestContext,
        name: str,
        *,
        min_ram: int = 0,
        min_disk: int = 0,
        properties: Mapping[str, str] = {},
        shared_with: str | None = None,
    ) -> str:
        """Make an image without data; a project that it is shared with has yet to accept it.

        :raises errors.NotAllowed: when the requester may only read
        """
        policy.require_member(ctxt)
        image = Image(
            id=str(uuid.uuid4()),
            owner=ctxt.project_id,
            name=name,
            visibility=SHARED if shared_with else PRIVATE,
            min_ram=min_ram,
            min_disk=min_disk,
            properties=dict(properties),
        )
        with self._db.write() as tx:
            images.create(tx, image)
            if shared_with:
                images.add_member(tx, image.id, shared_with)
        return image.id

    def upload(self, ctxt: RequestContext, image_id: str, data: bytes, properties: Mapping[str, str]) -> None:
        """Give an image its data, unless it has it.

        :raises errors.ImageNotFound: when it was deleted
        """
        with self._db.write() as tx:
            image = self._own(tx, ctxt, image_id)
            if image.status not in (QUEUED, SAVING):
                return
            images.update(tx, image_id, status=SAVING, properties={**image.properties, **properties}, **FORMATS)
        upload.keep(self._db, self._store, image_id, io.BytesIO(data), len(data))

    def delete(self, ctxt: RequestContext, image_id: str) -> None:
        """Delete an image and its data.

        :raises errors.ImageNotFound: when it is gone
        :raises errors.NotAllowed: when it is protected
        """
        with self._db.write() as tx:
            if self._own(tx, ctxt, image_id).protected:
                raise errors.NotAllowed(f"Image {image_id} is protected and cannot be deleted.")
            image = images.delete(tx, image_id)
        self._store.remove(image.location)

    def search(self, ctxt: RequestContext, wanted: ImageQuery) -> list[KnownImage]:
        """List the images that the requester may use, the latest first.

        :raises errors.InvalidInput: when there is no such marker
        """
        asked = {name: getattr(wanted, name) for name in ("id", "name", "status", "min_ram", "min_disk")}
        filter = ImageFilter(
            among={name: [value] for name, value in asked.items() if value is not None},
            compared=[("updated_at", "gte", wanted.changed_since)] if wanted.changed_since else (),
            properties=wanted.properties,
            visibility="all",
        )
        with self._db.read() as tx:
            found = images.search(tx, filter, policy.viewer(ctxt), limit=wanted.limit, marker=wanted.marker)
        return [KnownImage(_meta(image), image.created_at, image.updated_at) for image in found]

    def describe(self, ctxt: RequestContext, image_id: str, properties: Mapping[str, str]) -> None:
        """Replace what is said of an image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        :raises errors.NotAllowed: when it is another project's
        """
        with self._db.write() as tx:
            self._own(tx, ctxt, image_id)
            images.update(tx, image_id, properties=dict(properties))

    @staticmethod
    def _own(tx: Connection, ctxt: RequestContext, image_id: str) -> Image:
        image = images.get(tx, image_id, policy.viewer(ctxt), lock=True)
        policy.require_owner(ctxt, image)
        return image


def _meta(image: Image) -> ImageMeta:
    return ImageMeta(
        id=image.id,
        name=image.name or "",
        status=image.status,
        min_ram=image.min_ram,
        min_disk=image.min_disk,
        size=image.size,
        properties=dict(image.properties),
    )


def image_service(parts: Parts) -> ImageService:
    """Make the image service of an api or a conductor."""
    image = parts.conf.image
    return ImageService(parts.db, Store(image.directory, image.max_size, parts.aside))
