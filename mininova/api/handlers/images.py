"""What the api asks the image service for: one image, as the requester may see it.

The stand-in for Glance keeps its images in the same database, so a look-up is a query.  A real Glance would be
asked over HTTP, in this class and nowhere else.
"""

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Database
from mininova.objects import ImageMeta
from mininova.standins.glance.db import images


class Images:
    """The image service."""

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


def require_usable(image: ImageMeta) -> None:
    """Refuse an image without data.

    :raises errors.ImageNotActive: when it has none yet, or not any more
    """
    if image.status != "active":
        raise errors.ImageNotActive(image_id=image.id)
