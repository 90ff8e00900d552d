"""How an operation ends that no compute node ends: in the database, and in what listeners hear of it.

The api and the conductor end a build that reaches no host, a cast that was refused or given up, and what was to be done
by a host that is down.  What another request or a compute node has written meanwhile stands.
"""

import logging
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.context import RequestContext
from mininova.db import actions, endings, server_migrations
from mininova.db.session import Database
from mininova.notifications import events
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import Fault, Instance

LOG = logging.getLogger(__name__)

#: What ends no operation: who was asked, its broker or its database is away, and its record is enough to ask again.
UNANSWERED = (
    rpc.MessagingTimeout, rpc.ConnectionLost, rpc.BrokerUnreachable, rpc.Undeliverable, errors.DatabaseAway
)  # fmt: skip


def is_unanswered(error: Exception) -> bool:
    """Tell whether an error says only that there is no answer now."""
    return isinstance(error, UNANSWERED) and not isinstance(error, rpc.MessageRefused)


class OperationEnds:
    """End operations.

    :param service: which one does it: api or conductor
    """

    def __init__(self, conf: ConfigOpts, db: Database, notifier: rpc.Notifier, service: str) -> None:
        self.conf, self.db, self.notifier, self.service = conf, db, notifier, service

    def fail(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance | None:
        """End an operation with a fault that its owner can read; None when it has ended, or moved on, before."""
        try:
            with self.db.write() as tx:
                failed = endings.fail(tx, instance, operation, fault)
        except endings.LOST as lost:
            LOG.info("%s drops the fault of instance %s, which has moved on: %s", self.service, instance.uuid, lost)
            return None
        LOG.warning("%s ends the %s of instance %s: %s", self.service, operation, instance.uuid, fault.message)
        events.tell_update(self.notifier, ctxt, instance, failed, self.service)
        action = events.ACTIONS[operation]
        events.tell(self.notifier, ctxt, failed, action, "error", message=fault.message, code=fault.code)
        return failed

    def delete(self, ctxt: RequestContext, deleting: Instance, why: str) -> None:
        """End a delete without its host, and notify of it as the host would; a guest goes when the host is back.

        :param why: the host does not do it
        """
        now = datetime.now(UTC)
        with self.db.write() as tx:
            actions.event_fail(tx, deleting.uuid, why)
            migration = server_migrations.of_instance(tx, deleting.uuid)
            if endings.destroy(tx, deleting.uuid, now, migration=migration) is None:
                return
        LOG.info("%s deletes instance %s itself: %s", self.service, deleting.uuid, why)
        period = AuditPeriod.parse(self.conf.instance_usage_audit_period)
        events.tell_exists_so_far(self.notifier, ctxt, deleting, period, now)
        events.tell(self.notifier, ctxt, deleting, "delete", "start")
        gone = deleting.replace(vm_state=states.DELETED, task_state=None, terminated_at=now, addresses=())
        events.tell_update(self.notifier, ctxt, deleting, gone, self.service)
        events.tell(self.notifier, ctxt, gone, "delete", "end")
