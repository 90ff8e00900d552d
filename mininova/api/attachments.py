"""Volumes that servers get and lose: check, record, reserve, then send (Nova calls this compute/api.py, too).

As in Nova, an instance goes on meanwhile, and has no task.  What is recorded before the volume service is asked, a
conductor ends, whatever becomes of this process (service/attachments.py).  Nothing here knows HTTP.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.api.requirements import require_unlocked
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import actions, block_devices
from mininova.db.block_devices import ATTACHED, ATTACHING, DETACHING, Recorded
from mininova.db.session import Database
from mininova.objects import Instance, VolumeMeta
from mininova.service.attachments import ATTACH, DETACH, AttachmentEnds

LOG = logging.getLogger(__name__)

MAY_CHANGE = frozenset({
    states.ACTIVE, states.PAUSED, states.STOPPED, states.RESIZED, states.SOFT_DELETED, states.SHELVED,
    states.SHELVED_OFFLOADED,
})  # fmt: skip
ROOT_DEVICE = "/dev/vda"
LETTERS = "bcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Wish:
    """How an instance is to get a volume.

    :param device: what the guest is to call it; None leaves that to us
    :param multiattach: whether the client knows that others may have it, too
    """

    volume_id: str
    device: str | None = None
    tag: str | None = None
    delete_on_termination: bool = False
    multiattach: bool = True


class Attachments:
    """Gives volumes to instances, and takes them away.

    :ivar volumes: gives the volume service
    """

    def __init__(self, conf: ConfigOpts, db: Database, compute: ComputeAPI, ends: AttachmentEnds) -> None:
        self._due_after: float = conf.operations.due_after
        self._db, self._compute, self._ends = db, compute, ends
        self.volumes = ends.volumes

    def of(self, instance: Instance) -> Sequence[Recorded]:
        """List what an instance has, is to get, or is to lose."""
        with self._db.read() as tx:
            return [it for it in block_devices.of(tx, [instance.uuid]) if it.is_there]

    def root_of(self, instance: Instance) -> Recorded | None:
        """Find the volume that an instance boots from; None where that is a disk of its host."""
        return next((it for it in self.of(instance) if it.is_root), None)

    def find(self, instance: Instance, volume_id: str) -> Recorded:
        """Find what an instance has of a volume.

        :raises errors.BlockDeviceNotFound: when it has nothing of it
        """
        with self._db.read() as tx:
            found = block_devices.find(tx, instance.uuid, volume_id)
        if not found.is_there:
            raise errors.BlockDeviceNotFound(volume_id=volume_id)
        return found

    # ---- attach

    def attach(self, ctxt: RequestContext, instance: Instance, wish: Wish) -> Recorded:
        """Give an instance a volume; its host does so later.

        :raises errors.Conflict: when the instance is locked, in no state for it, or has a disk of that name
        :raises errors.InvalidInput: when the volume is in no state for it
        """
        self._require_possible(ctxt, instance, ATTACH)
        volumes = self.volumes()
        volume = volumes.get(ctxt, wish.volume_id)
        require_sharing(volume, wish.multiattach)
        with self._db.write() as tx:
            name = _device_name(block_devices.of(tx, [instance.uuid]), wish.device)
            it = block_devices.begin(
                tx, ctxt, instance.uuid, volume.id, name, tag=wish.tag,
                delete_on_termination=wish.delete_on_termination, due_after=self._due_after,
            )  # fmt: skip
        try:
            volumes.reserve(ctxt, volume.id, instance.uuid, it.attachment_id)
        except errors.MininovaError:
            with self._db.write() as tx:
                block_devices.end(tx, it)
            raise
        if instance.host is None:  # an offloaded one has it now, though on no host, as in Nova
            volumes.complete(it.attachment_id, "", it.device_name)
        if not self._accept(ctxt, instance, it):
            volumes.release(it.attachment_id)
            with self._db.write() as tx:
                block_devices.end(tx, it)
            raise errors.InstanceNotFound(instance_uuid=instance.uuid)
        if instance.host is not None:
            self._send(ctxt, instance, it)
        return it

    def _accept(self, ctxt: RequestContext, instance: Instance, it: Recorded) -> bool:
        """Record that the volume is reserved; an offloaded instance has it now, and its guest when that is made again.

        :return: False when the instance was deleted meanwhile
        """
        with self._db.write() as tx:
            if instance.host is None:
                actions.record(tx, ctxt, instance.uuid, ATTACH, None)
                return block_devices.accept(tx, it, ATTACHED, ctxt)
            actions.begin(tx, ctxt, instance.uuid, ATTACH, f"compute_{ATTACH}", instance.host)
            return block_devices.accept(tx, it, ATTACHING, ctxt, self._due_after)

    # ---- detach

    def detach(self, ctxt: RequestContext, instance: Instance, volume_id: str) -> None:
        """Take a volume away from an instance; its host does so later.

        :raises errors.BlockDeviceNotFound: when it does not have it
        :raises errors.Conflict: when the instance is locked, or in no state for it
        :raises errors.InvalidInput: when it is about to get the volume, or to lose it
        """
        it = self.find(instance, volume_id)
        if it.is_root:
            raise errors.InvalidInput("Cannot detach a root device volume")
        self._require_possible(ctxt, instance, DETACH)
        with self._db.write() as tx:
            turned = it.status == ATTACHED and block_devices.turn(tx, it, DETACHING, ctxt, self._due_after)
        if not turned:
            raise errors.InvalidVolume(
                reason=f"Volume {volume_id} must be attached in order to detach it, and is {it.status}."
            )
        going = msgspec.structs.replace(it, status=DETACHING, context=ctxt)
        if instance.host is None:
            self._ends.succeed(instance, going)
            with self._db.write() as tx:
                return actions.record(tx, ctxt, instance.uuid, DETACH, None)
        try:
            self._ends.volumes().begin_detaching(ctxt, volume_id)
        except errors.MininovaError:
            with self._db.write() as tx:
                block_devices.turn(tx, going, ATTACHED, it.context)
            raise
        with self._db.write() as tx:
            actions.begin(tx, ctxt, instance.uuid, DETACH, f"compute_{DETACH}", instance.host)
        return self._send(ctxt, instance, going)

    def keep(self, instance: Instance, volume_id: str, *, delete_on_termination: bool) -> None:
        """Say whether a volume is deleted with its instance.

        :raises errors.BlockDeviceNotFound: when it does not have it
        """
        with self._db.write() as tx:
            it = block_devices.find(tx, instance.uuid, volume_id)
            block_devices.say(tx, it, delete_on_termination=delete_on_termination)

    # ---- small parts

    def _send(self, ctxt: RequestContext, instance: Instance, it: Recorded) -> None:
        """Have the host do its part; where it takes no message now, a conductor sends it when it is due."""
        compute = self._compute.on(instance.host or "")
        send = compute.detach_volume if it.status == DETACHING else compute.attach_volume
        try:
            send(ctxt, instance, it.device)
        except rpc.RPCError as error:
            LOG.warning("api leaves volume %s of %s to a conductor: %s", it.volume_id, instance.uuid, error)

    @staticmethod
    def _require_possible(ctxt: RequestContext, instance: Instance, method: str) -> None:
        require_unlocked(ctxt, instance)
        for attr, is_possible in (
            ("vm_state", instance.vm_state in MAY_CHANGE),
            ("task_state", instance.task_state is None),
        ):
            if not is_possible:
                raise errors.InstanceInvalidState(
                    instance_uuid=instance.uuid, method=method, attr=attr, state=getattr(instance, attr)
                )


def require_sharing(volume: VolumeMeta, known: bool) -> None:
    """Refuse a volume that others may have, too, to a client that does not know of such.

    :raises errors.InvalidInput: naming the microversion
    """
    if volume.multiattach and not known:
        raise errors.InvalidInput("Multiattach volumes are only supported starting with compute API version 2.60.")


def _device_name(there: Sequence[Recorded], asked: str | None) -> str:
    """Name a disk: as is asked, or by the next letter.

    :raises errors.DevicePathInUse: when another has that name
    """
    taken = {ROOT_DEVICE, *(it.device_name for it in there)}
    if asked is not None:
        name = asked if asked.startswith("/dev/") else f"/dev/{asked}"
        if name in taken:
            raise errors.DevicePathInUse(path=asked)
        return name
    names = (f"/dev/vd{first}{second}" for first in ("", *LETTERS) for second in ("a" + LETTERS if first else LETTERS))
    return next(name for name in names if name not in taken)
