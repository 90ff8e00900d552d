"""The images that are made of instances: a conductor gives them their data, and deletes those that nothing needs.

A host gives what it took of a guest, and the record of the operation says which image that is for.  So a host that is
taken over can write to no image but to the one that was just asked for of its own instance (docs/adr/0023).
"""

import logging
from collections.abc import Callable

from mininova import errors
from mininova.context import RequestContext, service_context
from mininova.db import unneeded_images
from mininova.db.open_operations import OpenOperation
from mininova.db.session import Database
from mininova.objects import ImageMeta, ImageQuery, Instance
from mininova.service.faults import words_of
from mininova.service.images import ImageService, NoImages

LOG = logging.getLogger(__name__)

AT_ONCE = 100  # images that are deleted in one round


class Snapshots:
    """Upload and delete images, under the conductor's own name.

    :param images: gives the image service, when it is needed
    """

    def __init__(self, db: Database, images: Callable[[], ImageService] = NoImages) -> None:
        self._db, self._images = db, images

    def upload(self, instance: Instance, operation: OpenOperation, taken: str) -> None:
        """Give the image that an operation makes what a host took; then delete the backups that it replaces.

        :raises errors.ImageNotFound: when it was deleted meanwhile
        :raises errors.ImageNotUploaded: when the image service did not take it
        """
        asked = operation.arguments
        if operation.operation == "shelve" and (asked is None or not asked.makes):
            LOG.info("conductor keeps no image of instance %s, which boots from a volume", instance.uuid)
            return
        if asked is None or not asked.makes:
            raise errors.ImageNotFound(image_id="of this operation")
        ctxt, images = service_context(), self._images()
        more = {"image_location": "snapshot", "image_state": "available", "owner_id": instance.project_id}
        try:
            images.upload(ctxt, asked.makes, taken.encode(), more)
            if asked.rotation is not None:
                self._rotate(images, instance, asked.backup_type, asked.rotation)
        except errors.ImageNotFound:
            if asked.rotation != 0:  # of which nothing is kept, so that this message came before
                raise
        except Exception as error:  # an image service may raise anything: the owner gets a fault
            LOG.error("conductor could not upload image %s: %s", asked.makes, error)
            raise errors.ImageNotUploaded(image_id=asked.makes, reason=words_of(error)) from error
        LOG.info("conductor has uploaded image %s of instance %s", asked.makes, instance.uuid)

    def image(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read what an instance, or a volume for it, is made of.

        :raises errors.ImageNotFound: when it was deleted, or the requester may not use it
        """
        return self._images().get(ctxt, image_id)

    def _rotate(self, images: ImageService, instance: Instance, backup_type: str, most: int) -> None:
        """Have the oldest backups of a type be deleted, so that so many are left (nova: _rotate_backups)."""
        these = {"instance_uuid": instance.uuid, "image_type": "backup", "backup_type": backup_type}
        excess = images.search(service_context(), ImageQuery(properties=these))[most:]
        with self._db.write() as tx:
            for image in excess:
                unneeded_images.note(tx, image.meta.id)
        self.discard()

    def discard(self) -> None:
        """Delete the images that nothing needs; one that cannot be deleted now is tried again in the next round."""
        with self._db.read() as tx:
            unneeded = unneeded_images.search(tx, AT_ONCE)
        for image_id in unneeded:
            try:
                self._delete(image_id)
            except Exception as error:  # an image service may raise anything, and it may be away
                LOG.warning("conductor deletes image %s later: %s", image_id, error)

    def _delete(self, image_id: str) -> None:
        try:
            self._images().delete(service_context(), image_id)
            LOG.info("conductor has deleted image %s, which nothing needs", image_id)
        except errors.ImageNotFound:
            LOG.info("conductor finds image %s deleted", image_id)
        except errors.NotAllowed as reason:
            LOG.warning("conductor leaves image %s to its owner: %s", image_id, reason)
        with self._db.write() as tx:
            unneeded_images.forget(tx, image_id)
