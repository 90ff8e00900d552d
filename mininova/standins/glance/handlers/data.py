"""``/v2/images/{id}/file``: an image's data, in and out."""

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.glance import policy
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import DEACTIVATED, QUEUED, SAVING
from mininova.standins.glance.service import Service
from mininova.standins.glance.upload import keep
from mininova.wsgi import Reply, Request


class Data:
    """Handlers of the data."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def upload(self, request: Request, image_id: str) -> None:
        """Take the data of an image.

        An image in ``saving`` may be uploaded to once more, because the first upload may have died with its process.
        """
        if request.content_type != "application/octet-stream":
            raise errors.UnsupportedMediaType()
        db, store = self._service.db, self._service.store
        with db.write() as tx:
            self._begin(tx, request, image_id)
        keep(db, store, image_id, request.body_file_raw, _announced(request))

    def download(self, request: Request, image_id: str) -> Reply:
        """Give the data of an image, block by block."""
        with self._service.db.read() as tx:
            image = images.get(tx, image_id, policy.viewer(request.context))
        if image.status == DEACTIVATED and not request.context.is_admin:
            raise errors.NotAllowed("The requested image has been deactivated. Image data download is forbidden.")
        if image.location is None:
            return Reply(204)
        headers = {"Content-Length": str(image.size), "Content-MD5": image.checksum or ""}
        try:
            return Reply(200, self._service.store.read(image.location), headers)
        except FileNotFoundError as reason:
            raise errors.NotFound(f"The data of image {image_id} is not in the store of this host.") from reason

    def _begin(self, tx: Connection, request: Request, image_id: str) -> None:
        image = images.get(tx, image_id, policy.viewer(request.context), lock=True)
        policy.require_owner(request.context, image)
        if image.container_format is None or image.disk_format is None:
            raise errors.InvalidInput("Properties disk_format, container_format must be set prior to saving data.")
        images.update(tx, image_id, status_in=(QUEUED, SAVING), status=SAVING)


def _announced(request: Request) -> int | None:
    """Say how many bytes the sender announced; None when they come in chunks, which end by themselves."""
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    return request.content_length or 0
