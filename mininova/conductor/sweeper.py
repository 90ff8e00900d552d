"""The sweeper: it takes up operations that have stood still, for the message that would have moved them may be lost.

The record is the truth, and the broker is the fast way.  Every conductor sweeps now and then: it takes what is due, and
for each operation whose instance has not moved since the last look it does what its message would have done.  A host
that is up gets the message again, which is harmless (ADR 0016).  What was to be done by a host that is down is
done without it: a build goes elsewhere, a delete ends, and the rest fails with a fault for its owner.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import COMMANDS
from mininova.conductor.attachments import AttachmentSweep
from mininova.conductor.build import BuildTask
from mininova.conductor.migrate import MigrationTask
from mininova.conductor.shelving import Shelving
from mininova.conductor.snapshots import Snapshots
from mininova.db import actions, block_devices, instances, open_operations, services
from mininova.db.open_operations import OpenOperation
from mininova.db.session import Connection, Database
from mininova.objects import NO_ARGUMENTS, Fault, Instance
from mininova.service.attachments import AttachmentEnds

LOG = logging.getLogger(__name__)

LOOKS = 3  # in ``due_after`` seconds: how often a conductor sweeps
BATCH = 100  # operations that are taken in one transaction
LONGEST_WAIT = 20  # times ``due_after``: the longest that an operation waits for its next look


def _now() -> datetime:
    return datetime.now(UTC)


class Sweeper:
    """Take up what is due; any number of conductors may do so at a time.

    :param builds: takes up builds, and knows the computes that are sent commands again
    :param snapshots: deletes images that operations have left
    :param clock: tells the time
    :param attachments: ends those of volumes
    """

    def __init__(
        self,
        conf: ConfigOpts,
        db: Database,
        builds: BuildTask,
        snapshots: Snapshots | None = None,
        clock: Callable[[], datetime] = _now,
        attachments: AttachmentEnds | None = None,
    ) -> None:
        self.conf, self.db, self.builds, self._clock = conf, db, builds, clock
        attachments = attachments or AttachmentEnds(db)
        self._attachments = AttachmentSweep(conf, db, builds.compute, attachments)
        self._snapshots = snapshots or Snapshots(db)
        self._shelving = Shelving(conf, db, builds, self._snapshots, clock)
        self.migrations = MigrationTask(conf, db, builds.scheduler, builds.compute, builds.notifier, attachments)

    def sweep(self) -> None:
        """Take up all that is due, offload what was shelved for long enough, and delete what images nothing needs."""
        for operation, instance in self._stood_still():
            try:
                self._take_up(operation, instance)
            except (rpc.RPCError, errors.MininovaError) as error:
                LOG.warning("conductor takes the %s of %s up later: %s", operation.operation, instance.uuid, error)
        self._shelving.offload_due()
        self._snapshots.discard()
        self._attachments.sweep(self._is_up, self._clock())

    def hurry(self) -> None:
        """Look soon at all that is under way: the broker was away, and may have lost its disk."""
        with self.db.write() as tx:
            latest = self._clock() + timedelta(seconds=self.conf.operations.due_after)
            open_operations.hurry(tx, latest)
            block_devices.hurry(tx, latest)

    # ---- one operation

    def _take_up(self, operation: OpenOperation, instance: Instance) -> None:
        """Do what the message would have done that may be lost."""
        ctxt, name, host = operation.context, operation.operation, instance.host
        LOG.info("conductor takes the %s of instance %s up again, try %d", name, instance.uuid, operation.tries + 1)
        is_down = host is not None and not self._is_up(host)
        fault = Fault(code=500, message=f"Its host {host} is down", created_at=self._clock())
        if name == "build":
            self.builds.take_up(ctxt, instance, fault if is_down else None)
        elif name in states.MIGRATIONS:
            self.migrations.take_up(instance.uuid, self._is_up)
        elif host is not None and not is_down:
            COMMANDS[name](self.builds.compute.on(host), ctxt, instance, operation.arguments or NO_ARGUMENTS)
        elif name == "unshelve" and host is None:
            self._shelving.unshelve(ctxt, instance)
        elif name == "delete":
            self.builds.ends.delete(ctxt, instance, fault.message if host else "it has no host")
        else:
            self.builds.ends.fail(ctxt, instance, name, fault)

    def _is_up(self, host: str) -> bool:
        with self.db.read() as tx:
            return services.is_host_up(tx, host, self._clock(), self.conf.service_down_time)

    # ---- what is due

    def _stood_still(self) -> Iterator[tuple[OpenOperation, Instance]]:
        """Take what is due, and give what has not moved since the last look."""
        while due := self._due():
            with self.db.write() as tx:
                found = {it.uuid: it for it in instances.get_many(tx, [it.instance_uuid for it in due])}
                looked_at = [(it, self._look_at(tx, it, found.get(it.instance_uuid))) for it in due]
            yield from ((operation, instance) for operation, instance in looked_at if instance is not None)
            if len(due) < BATCH:
                return

    def _due(self) -> Sequence[OpenOperation]:
        with self.db.read() as tx:
            return open_operations.due(tx, self._clock(), BATCH)

    def _look_at(self, tx: Connection, operation: OpenOperation, instance: Instance | None) -> Instance | None:
        """Put an operation off until the next look; give its instance if it stood still and is ours to take up."""
        seen = operation.generation if instance is None else instance.generation
        tries = operation.tries + 1 if seen == operation.generation else 0
        wait_s = self.conf.operations.due_after * min(2**tries, LONGEST_WAIT) * random.uniform(0.9, 1.1)
        until = self._clock() + timedelta(seconds=wait_s)
        if not open_operations.take(tx, operation, seen=seen, tries=tries, until=until):
            return None
        if instance is None or instance.task_state not in states.under_way(operation.operation):
            LOG.error("conductor closes the %s of %s, which had ended", operation.operation, operation.instance_uuid)
            actions.finish(tx, operation.instance_uuid, "it had ended, and its end was not recorded")
            return None
        return instance if tries else None
