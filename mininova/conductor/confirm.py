"""Resized instances are confirmed when their owners have not done it in time (nova: _poll_unconfirmed_resizes).

Every conductor looks now and then, and the compare-and-swap that begins a confirm tells two of them apart.  The confirm
is recorded as due at once, so the sweeper sends it to its host.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import states
from mininova.context import RequestContext, service_context
from mininova.db import actions, instances, server_migrations
from mininova.db.endings import LOST
from mininova.db.session import Database
from mininova.notifications import events
from mininova.rpc import Notifier

LOG = logging.getLogger(__name__)

LOOKS = 4  # in ``resize_confirm_window`` seconds: how often a conductor looks


def _now() -> datetime:
    return datetime.now(UTC)


class Confirmer:
    """Begin the confirms of what was resized long enough ago.

    :param clock: tells the time
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, notifier: Notifier, clock: Callable[[], datetime] = _now
    ) -> None:
        self.conf, self.db, self.notifier, self._clock = conf, db, notifier, clock

    def confirm(self) -> None:
        """Begin to confirm all that has waited long enough."""
        until = self._clock() - timedelta(seconds=self.conf.operations.resize_confirm_window)
        with self.db.read() as tx:
            found = server_migrations.unconfirmed_before(tx, until)
        for uuid in found:
            try:
                self._begin(service_context(), uuid)
            except LOST as lost:
                LOG.info("conductor leaves the resized instance %s alone: %s", uuid, lost)

    def _begin(self, ctxt: RequestContext, uuid: str) -> None:
        with self.db.write() as tx:
            before = instances.get(tx, uuid)
            confirming = instances.update(
                tx,
                uuid,
                {"task_state": states.RESIZE_CONFIRMING},
                generation=before.generation,
                expected_task_state=(None,),
                seen=before.replace(vm_state=states.RESIZED),
            )
            actions.start(tx, ctxt, [confirming], "confirm_resize", due_after=0)
        LOG.info("conductor confirms instance %s, which was resized and not reverted", uuid)
        events.tell_update(self.notifier, ctxt, before, confirming)
