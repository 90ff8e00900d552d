"""New servers with volumes: each volume that is there is reserved before its server is made, the others are recorded.

No transaction holds Nova's tables and the volume service (docs/adr/0029).  So what is reserved has a row first, of a
server that is not there yet; the transaction that makes the server takes the row over.  If this process dies before,
a conductor frees the volume when the row is due.  Volumes that are to be made have only rows: the build makes them.
"""

import logging
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.api.attachments import ROOT_DEVICE
from mininova.api.operations import Operations, Order
from mininova.context import RequestContext
from mininova.db import block_devices
from mininova.db.block_devices import ATTACHING, RESERVING, Recorded
from mininova.db.session import Connection, Database
from mininova.objects import BlockDeviceMapping, Instance
from mininova.service.attachments import AttachmentEnds

LOG = logging.getLogger(__name__)

Named = tuple[str, BlockDeviceMapping]


class BootVolumes:
    """Makes servers that boot with volumes."""

    def __init__(self, conf: ConfigOpts, db: Database, operations: Operations, ends: AttachmentEnds) -> None:
        self._due_after: float = conf.operations.due_after
        self._db, self._operations, self._ends = db, operations, ends

    def create(
        self, ctxt: RequestContext, order: Order, uuid: str, devices: Sequence[BlockDeviceMapping]
    ) -> list[Instance]:
        """Write new instances and have a conductor build them, as Operations.create does.

        :param uuid: of the first of them; volumes that are there are given to one instance only
        :param devices: all their disks
        :raises errors.InvalidInput: when a volume is in no state for it
        """
        volumes = list(_named(devices))
        kept = list[Recorded]()

        def plug(tx: Connection, instance: Instance) -> Instance:
            self._take_over(tx, ctxt, kept)
            for name, it in volumes:
                if it.makes_volume:
                    self._begin(tx, ctxt, instance.uuid, str(uuid4()), name, it)
            return order.plug(tx, instance) if order.plug else instance

        try:
            for name, it in volumes:
                if not it.makes_volume:
                    kept.append(self._reserve(ctxt, uuid, name, it))
            return self._operations.create(ctxt, replace(order, plug=plug))
        except errors.MininovaError:
            self._give_up(uuid)
            raise

    def _reserve(self, ctxt: RequestContext, uuid: str, name: str, it: BlockDeviceMapping) -> Recorded:
        with self._db.write() as tx:
            row = self._begin(tx, ctxt, uuid, it.source_id, name, it)
        self._ends.volumes().reserve(ctxt, row.volume_id, uuid, row.attachment_id)
        return row

    def _begin(
        self, tx: Connection, ctxt: RequestContext, uuid: str, volume_id: str, name: str, it: BlockDeviceMapping
    ) -> Recorded:
        """Record a volume of an instance; one that is there is not deleted with what was never made."""
        made = it.makes_volume
        return block_devices.begin(
            tx, ctxt, uuid, volume_id, name, tag=it.tag, asked=it, due_after=None if made else self._due_after,
            delete_on_termination=made and it.delete_on_termination,
        )  # fmt: skip

    def _take_over(self, tx: Connection, ctxt: RequestContext, kept: Sequence[Recorded]) -> None:
        """Have the instance, which is written in this transaction, own what was reserved for it.

        :raises errors.Conflict: when that took so long that a conductor has freed it
        """
        for row in kept:
            if not block_devices.accept(tx, row, ATTACHING, ctxt):
                raise errors.Conflict(f"Volume {row.volume_id} was reserved for too long: try again")
            if row.asked is not None and row.asked.delete_on_termination:
                block_devices.say(tx, row, delete_on_termination=True)

    def _give_up(self, uuid: str) -> None:
        """Free what was reserved for an instance that is not made."""
        with self._db.read() as tx:
            left = [row for row in block_devices.of(tx, [uuid]) if row.status == RESERVING]
        for row in left:
            self._ends.volumes().release(row.attachment_id)
            with self._db.write() as tx:
                block_devices.end(tx, row)


def _named(devices: Sequence[BlockDeviceMapping]) -> Iterator[Named]:
    """Name the volumes as the guest does: as is asked, or the one it boots from vda, and others by the next letter."""
    taken = {ROOT_DEVICE, *(it.device_name for it in devices)}
    free = (f"/dev/vd{letter}" for letter in string.ascii_lowercase)
    for it in devices:
        if it.is_volume:
            name = it.device_name or (ROOT_DEVICE if it.is_root else next(each for each in free if each not in taken))
            yield name, it
