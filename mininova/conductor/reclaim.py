"""Soft-deleted instances are deleted for good when they can be restored no longer (nova: _reclaim_queued_deletes).

Every conductor looks now and then, and the compare-and-swap that begins a delete tells two of them apart.  The delete
is recorded as due at once, so the sweeper sends it to the instance's host, or ends it where the host is down.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import states
from mininova.context import RequestContext, service_context
from mininova.db import actions, instances
from mininova.db.endings import LOST
from mininova.db.session import Database
from mininova.notifications import events
from mininova.rpc import Notifier

LOG = logging.getLogger(__name__)

LOOKS = 4  # in ``reclaim_instance_interval`` seconds: how often a conductor looks


def _now() -> datetime:
    return datetime.now(UTC)


class Reclaimer:
    """Begin the deletes of what was soft-deleted long enough ago.

    :param clock: tells the time
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, notifier: Notifier, clock: Callable[[], datetime] = _now
    ) -> None:
        self.conf, self.db, self.notifier, self._clock = conf, db, notifier, clock

    def reclaim(self) -> None:
        """Begin to delete all that can be restored no longer."""
        until = self._clock() - timedelta(seconds=self.conf.operations.reclaim_instance_interval)
        with self.db.read() as tx:
            found = actions.at_rest_since(tx, "soft_delete", until)
        for uuid in found:
            try:
                self._begin(service_context(), uuid)
            except LOST as lost:
                LOG.info("conductor leaves the soft-deleted instance %s alone: %s", uuid, lost)

    def _begin(self, ctxt: RequestContext, uuid: str) -> None:
        with self.db.write() as tx:
            before = instances.get(tx, uuid)
            deleting = instances.update(
                tx,
                uuid,
                states.begin("delete", before),
                generation=before.generation,
                expected_task_state=(None,),
            )
            actions.start(tx, ctxt, [deleting], "delete", due_after=0)
        LOG.info("conductor deletes instance %s, which was soft-deleted and not restored", uuid)
        events.tell_update(self.notifier, ctxt, before, deleting)
