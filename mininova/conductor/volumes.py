"""Gives an instance the volumes that it has, for its host, which has no credentials for the volume service.

A compute asks for them before it makes a guest: in a build (compute/build.py), perhaps twice, perhaps on one host after
another, in a rebuild, and when it unshelves an instance (compute/in_place.py).  So each step may be done again: a
volume and an attachment have ids that were chosen when the instance was asked for, and an image may be written twice.

What a build asks for would be left over if the instance were deleted meanwhile: so the row says that we ask, and no
other conductor ends it under our hands.  The others make nothing new: their rows are only due after a while, and then
the sweep says once more where the instance is (conductor/attachments.py), also when the operation has failed.
"""

import logging
from collections.abc import Callable, Sequence

from oslo_config.cfg import ConfigOpts

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import block_devices, open_operations
from mininova.db.block_devices import ATTACHED, ATTACHING, DETACHING, RESERVING, Recorded
from mininova.db.open_operations import OpenOperation
from mininova.db.session import Database
from mininova.objects import BlockDevice, ImageMeta, Instance
from mininova.service.attachments import AttachmentEnds

LOG = logging.getLogger(__name__)

# What a volume service, or an image service, refuses now and would refuse again.
REFUSED = (errors.InvalidInput, errors.NotFound, errors.OverLimit, errors.NotAllowed)


class Connections:
    """Make what volumes an instance is to boot with, and attach them.

    :param image: finds an image by its id for who asks
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, ends: AttachmentEnds, image: Callable[[RequestContext, str], ImageMeta]
    ) -> None:
        self._due_after: float = conf.operations.due_after
        self._db, self._ends, self._image = db, ends, image

    def connect(self, instance: Instance) -> Sequence[BlockDevice]:
        """Attach all volumes of an instance on the host that it is on.

        :raises errors.InvalidBlockDevice: when the volume service refuses one, and would refuse it again
        :raises errors.InstanceNotFound: when the instance was deleted meanwhile
        """
        with self._db.read() as tx:
            found = block_devices.of(tx, [instance.uuid])
            if instance.vm_state != states.BUILDING:
                operation = open_operations.of(tx, instance.uuid)
        if instance.vm_state == states.BUILDING:
            return [self._connect(instance, it).device for it in found if it.status != DETACHING]
        has = [it for it in found if it.status == ATTACHED]
        for it in has:
            self._reconnect(instance, it, operation)
        return [it.device for it in has]

    def _connect(self, instance: Instance, it: Recorded) -> Recorded:
        asking = self._turn(it, RESERVING, self._due_after)
        try:
            self._ask(instance, asking)
        except REFUSED as refused:
            LOG.warning("conductor cannot give instance %s volume %s: %s", instance.uuid, it.volume_id, refused)
            self._turn(asking, ATTACHING)
            raise errors.InvalidBlockDevice(reason=str(refused)) from refused
        try:
            return self._turn(asking, ATTACHED)
        except errors.InstanceNotFound:
            with self._db.write() as tx:
                block_devices.turn(tx, asking, ATTACHING, asking.context)
            self._ends.clear()
            raise

    def _ask(self, instance: Instance, it: Recorded) -> None:
        """Ask the volume service for a volume: to make it, to keep it for the instance, and to say where it is."""
        volumes, asked = self._ends.volumes(), it.asked
        if asked is not None and asked.makes_volume:
            name = f"{instance.uuid}-blank-vol" if asked.source_type == "blank" else ""
            image = self._image(it.context, asked.source_id) if asked.source_type == "image" else None
            volumes.create(it.context, it.volume_id, name, asked, image)
        volumes.reserve(it.context, it.volume_id, instance.uuid, it.attachment_id)
        volumes.complete(it.attachment_id, instance.host or "", it.device_name)

    def _reconnect(self, instance: Instance, it: Recorded, operation: OpenOperation | None) -> None:
        """Say on which host an instance has a volume; before that, write the image to it that is asked for."""
        asked, volumes = operation.arguments if operation is not None else None, self._ends.volumes()
        with self._db.write() as tx:
            block_devices.turn(tx, it, ATTACHED, it.context, self._due_after)  # whether the guest is made is seen then
        try:
            if operation is not None and asked is not None and asked.reimages and it.is_root:
                image = self._image(operation.context, asked.image.id)
                volumes.reimage(operation.context, it.volume_id, it.attachment_id, image)
                LOG.info("conductor has image %s on volume %s of instance %s", image.id, it.volume_id, instance.uuid)
            volumes.complete(it.attachment_id, instance.host or "", it.device_name)
        except REFUSED as refused:
            LOG.warning("conductor cannot give instance %s volume %s: %s", instance.uuid, it.volume_id, refused)
            raise errors.InvalidBlockDevice(reason=str(refused)) from refused

    def _turn(self, it: Recorded, status: str, due_after: float | None = None) -> Recorded:
        """Change the status of a row; where another conductor was faster with the same, give the row as that left it.

        :raises errors.InstanceNotFound: when the instance was deleted, or the row is gone
        """
        with self._db.write() as tx:
            block_devices.accept(tx, it, status, it.context, due_after)
            row = block_devices.get(tx, it.uuid)
        if row is None or row.status not in (status, ATTACHED):
            raise errors.InstanceNotFound(instance_uuid=it.instance_uuid)
        return row
