"""How the Compute API, in the same process, asks for an image: by a query, where a real Glance is asked over HTTP.

``image_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from mininova.context import RequestContext
from mininova.db.session import Database
from mininova.objects import ImageMeta
from mininova.standins.glance.db import images
from mininova.wsgi import Parts


class ImageService:
    """Reads images as Nova knows them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read one image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        """
        with self._db.read() as tx:
            image = images.get(tx, image_id, project_id=None if ctxt.is_admin else ctxt.project_id or "")
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
    """Make the image service of an api."""
    return ImageService(parts.db)
