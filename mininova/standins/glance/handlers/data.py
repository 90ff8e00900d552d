"""``/v2/images/{id}/file``, ``/stage`` and ``/import``: an image's data, in and out.

Staged data is where it stays; to import it is to say that it is the image's.
"""

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.glance import policy, schemas
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE, DEACTIVATED, QUEUED, SAVING, UPLOADING, Image
from mininova.standins.glance.schemas import IMPORT_METHODS
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
        _require_data(request)
        db, store = self._service.db, self._service.store
        with db.write() as tx:
            image = self._own(tx, request, image_id)
            _require_formats(image, "saving data")
            images.update(tx, image_id, status_in=(QUEUED, SAVING), status=SAVING)
        keep(db, store, image_id, request.body_file_raw, _announced(request))

    def stage(self, request: Request, image_id: str) -> None:
        """Take the data of an image that becomes the image's by an import.

        :raises errors.Conflict: when the image has data, staged or not
        """
        _require_data(request)
        db, store = self._service.db, self._service.store
        with db.write() as tx:
            if self._own(tx, request, image_id).location is not None:
                raise errors.Conflict(f"Image {image_id} has its data already.")
            images.update(tx, image_id, status_in=(QUEUED, UPLOADING), status=UPLOADING)
        keep(db, store, image_id, request.body_file_raw, _announced(request), from_=UPLOADING, to=UPLOADING)

    def import_(self, request: Request, image_id: str) -> Reply:
        """Have staged data be the image's; it is done when this is answered, though Glance says 202.

        :raises errors.InvalidInput: when another method is asked for
        :raises errors.Conflict: when nothing is staged
        """
        method = schemas.checked_import(request.document)["method"]["name"]
        if method not in IMPORT_METHODS:
            raise errors.InvalidInput(
                f"Unknown import method name '{method}': this cloud knows {', '.join(IMPORT_METHODS)} only, and "
                "fetches nothing by itself."
            )
        with self._service.db.write() as tx:
            image = self._own(tx, request, image_id)
            _require_formats(image, "import")
            if image.status != UPLOADING or image.location is None:
                raise errors.Conflict(f"Image {image_id} is {image.status}: {method} needs data that is staged.")
            images.update(tx, image_id, status=ACTIVE)
        return Reply(202)

    def download(self, request: Request, image_id: str) -> Reply:
        """Give the data of an image, block by block."""
        with self._service.db.read() as tx:
            image = images.get(tx, image_id, policy.viewer(request.context))
        if image.status == DEACTIVATED and not request.context.is_admin:
            raise errors.NotAllowed("The requested image has been deactivated. Image data download is forbidden.")
        if image.location is None or image.status == UPLOADING:
            return Reply(204)
        headers = {"Content-Length": str(image.size), "Content-MD5": image.checksum or ""}
        try:
            return Reply(200, self._service.store.read(image.location), headers)
        except FileNotFoundError as reason:
            raise errors.NotFound(f"The data of image {image_id} is not in the store of this host.") from reason

    @staticmethod
    def _own(tx: Connection, request: Request, image_id: str) -> Image:
        image = images.get(tx, image_id, policy.viewer(request.context), lock=True)
        policy.require_owner(request.context, image)
        return image


def _require_data(request: Request) -> None:
    if request.content_type != "application/octet-stream":
        raise errors.UnsupportedMediaType()


def _require_formats(image: Image, what: str) -> None:
    if image.container_format is None or image.disk_format is None:
        raise errors.InvalidInput(f"Properties disk_format, container_format must be set prior to {what}.")


def _announced(request: Request) -> int | None:
    """Say how many bytes the sender announced; None when they come in chunks, which end by themselves."""
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    return request.content_length or 0
