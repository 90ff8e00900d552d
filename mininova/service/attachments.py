"""How Nova and the volume service come to agree on who has a volume: the ends of what the api began.

The api records what is to be done (db/block_devices.py) and asks the volume service to keep the volume; the host does
its part; a conductor ends it here.  An end asks the volume service first, which may be asked twice, and changes the row
after that: so what a crash leaves half-way is due again.  Where no host is to do anything, the api ends it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from mininova import errors, rpc
from mininova.context import service_context
from mininova.db import actions, block_devices
from mininova.db.block_devices import ATTACHED, ATTACHING, DETACHING, RESERVING, Recorded
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import Instance
from mininova.service.volumes import NoVolumes, VolumeService

LOG = logging.getLogger(__name__)

AT_ONCE = 100  # rows of instances that are gone, cleared in one round

#: What is done to an instance and a volume: the action of the instance and the event that tell of it.
ATTACH, DETACH = "attach_volume", "detach_volume"
TOLD: Mapping[str, events.Action] = {
    RESERVING: "volume_attach", ATTACHING: "volume_attach", DETACHING: "volume_detach",
}  # fmt: skip
COMING = (RESERVING, ATTACHING)


class AttachmentEnds:
    """End attachments and detachments.

    :param volumes: gives the volume service, when it is needed
    """

    def __init__(
        self, db: Database, notifier: rpc.Notifier | None = None, volumes: Callable[[], VolumeService] = NoVolumes
    ) -> None:
        self._db, self._notifier, self.volumes = db, notifier, volumes

    def succeed(self, instance: Instance, it: Recorded) -> None:
        """End what a host has done: the instance has the volume, or has it no more.

        :raises errors.NotFound: when the volume service has forgotten the attachment that is to be completed
        """
        if it.status in COMING:
            self.volumes().complete(it.attachment_id, instance.host or "", it.device_name)
            self._write(it, lambda tx: block_devices.turn(tx, it, ATTACHED, it.context), None)
        elif it.status != ATTACHED:
            self.volumes().release(it.attachment_id)
            self._write(it, lambda tx: block_devices.end(tx, it), None)

    def follow(self, instance: Instance, it: Recorded) -> None:
        """Say where an instance has come with its volume, and that nothing is under way any more."""
        self._tell(instance, it)
        with self._db.write() as tx:
            block_devices.turn(tx, it, ATTACHED, it.context)

    def lead(self, instance: Instance, has: Sequence[Recorded]) -> None:
        """Say where an instance comes now with its volumes.

        Whether it stays there is not known yet, and the volume service may be away: so the rows are due, and ``follow``
        says it once more.
        """
        for it in has:
            try:
                self._tell(instance, it)
            except Exception as error:  # a volume service may raise anything, and it may be away
                LOG.warning("volume %s follows instance %s later: %s", it.volume_id, instance.uuid, error)

    def _tell(self, instance: Instance, it: Recorded) -> None:
        """Say on which host an instance has a volume; one that is on none keeps it."""
        if instance.host is not None:
            self.volumes().complete(it.attachment_id, instance.host, it.device_name)
        else:
            self.volumes().keep(it.attachment_id)

    def fail(self, instance: Instance, it: Recorded, reason: str) -> None:
        """End what a host could not do: an instance that was to get a volume has none, and one that has it keeps it."""
        if it.status == ATTACHED:
            return
        LOG.warning("instance %s and volume %s stay as they were: %s", it.instance_uuid, it.volume_id, reason)
        if it.status in COMING:
            self.volumes().release(it.attachment_id)
            written = self._write(it, lambda tx: block_devices.end(tx, it), reason)
        else:
            self.volumes().roll_detaching(it.volume_id)
            written = self._write(it, lambda tx: block_devices.turn(tx, it, ATTACHED, it.context), reason)
        if written and self._notifier is not None:
            extra = {"volume_id": it.volume_id, "message": reason}
            events.tell(self._notifier, it.context, instance, TOLD[it.status], "error", **extra)

    def clear(self, now: datetime | None = None) -> None:
        """Free the volumes of instances that are deleted or could not be built, and delete those that go with them."""
        with self._db.read() as tx:
            left = block_devices.left(tx, now or datetime.now(UTC), AT_ONCE)
        for it in left:
            try:
                self.volumes().release(it.attachment_id)
                if it.delete_on_termination:
                    self.volumes().delete(service_context(), it.volume_id)
            except errors.VolumeNotFound:
                LOG.debug("volume %s of instance %s is gone, too", it.volume_id, it.instance_uuid)
            except errors.InvalidInput as error:
                LOG.warning("volume %s stays, though instance %s is gone: %s", it.volume_id, it.instance_uuid, error)
            except Exception as error:  # a volume service may raise anything, and it may be away
                LOG.warning("volume %s of instance %s is freed later: %s", it.volume_id, it.instance_uuid, error)
                continue
            with self._db.write() as tx:
                block_devices.end(tx, it)

    def _write(self, it: Recorded, change: Callable[[Connection], bool], error: str | None) -> bool:
        """Change a row, and end the action of the request, unless that was done before."""
        with self._db.write() as tx:
            changed = change(tx)
            if changed:
                actions.end(tx, it.instance_uuid, it.context.request_id, error)
        return changed
