"""Takes up what stands still between an instance and a volume, since its message was lost, or a process died.

The sweeper calls this (sweeper.py).  What a host that is up was to do, it is asked to do again.  Where the host is
down, or the volume was never reserved, all stays as it was before it was asked for.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.db import block_devices, instances
from mininova.db.block_devices import ATTACHED, DETACHING, Recorded
from mininova.db.session import Database
from mininova.objects import Instance
from mininova.service.attachments import AttachmentEnds
from mininova.service.operation_ends import is_unanswered

LOG = logging.getLogger(__name__)

BATCH = 100


class AttachmentSweep:
    """Take up what is due; any number of conductors may do so at a time."""

    def __init__(self, conf: ConfigOpts, db: Database, compute: ComputeAPI, ends: AttachmentEnds) -> None:
        self._due_after: float = conf.operations.due_after
        self._db, self._compute, self._ends = db, compute, ends

    def sweep(self, is_up: Callable[[str], bool], now: datetime) -> None:
        """Take up all that is due, and free the volumes of deleted instances.

        :param is_up: tells it of a host
        """
        self._ends.clear(now)
        with self._db.read() as tx:
            due = block_devices.due(tx, now, BATCH)
        if not due:
            return
        with self._db.write() as tx:
            ours = [it for it in due if block_devices.put_off(tx, it, now + timedelta(seconds=self._due_after))]
            found = {each.uuid: each for each in instances.get_many(tx, [it.instance_uuid for it in ours])}
        for it in ours:
            instance = found.get(it.instance_uuid)
            if instance is not None and not _goes_on(instance, it):
                self._take_up(instance, it, is_up)

    def _take_up(self, instance: Instance, it: Recorded, is_up: Callable[[str], bool]) -> None:
        LOG.info("conductor takes volume %s of instance %s up again: it is %s", it.volume_id, instance.uuid, it.status)
        try:
            if not self._ends.volumes().is_reserved(it.attachment_id):
                self._end_without_attachment(instance, it)
            elif it.status == ATTACHED:
                self._ends.follow(instance, it)
            elif instance.host is None:
                self._ends.succeed(instance, it)
            elif not is_up(instance.host):
                self._ends.fail(instance, it, f"Its host {instance.host} is down")
            else:
                self._send(instance, it)
        except Exception as error:  # a volume service may raise anything, and it may be away
            LOG.warning("conductor takes volume %s of %s up later: %s", it.volume_id, instance.uuid, error)

    def _end_without_attachment(self, instance: Instance, it: Recorded) -> None:
        if it.status != DETACHING:
            self._ends.fail(instance, it, "The volume was not reserved")
        else:
            self._ends.succeed(instance, it)

    def _send(self, instance: Instance, it: Recorded) -> None:
        compute = self._compute.on(instance.host or "")
        send = compute.detach_volume if it.status == DETACHING else compute.attach_volume
        try:
            send(it.context, instance, it.device)
        except (rpc.RPCError, errors.MininovaError) as error:
            if is_unanswered(error):
                raise
            self._ends.fail(instance, it, str(error))


def _goes_on(instance: Instance, it: Recorded) -> bool:
    """Tell whether an operation is under way that gives an instance its volumes; that is taken up instead."""
    return instance.vm_state == states.BUILDING or (it.status == ATTACHED and instance.task_state is not None)
