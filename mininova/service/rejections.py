"""What happens when a receiver refuses a cast: the operation fails, and its owner reads why.

A receiver refuses a cast whose version it does not speak.  The cast comes back to the process that sent it (rpc.Peer),
the api or the conductor, which here ends the operation of every instance in it, so that none stays in the middle.  An
instance that has moved on since the cast was sent, which its generation tells, is left alone: a rejection may be late,
or be sent twice by a host that is not trusted.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from mininova import objects, rpc, states
from mininova.context import RequestContext
from mininova.db import endings, instances
from mininova.db.session import Database
from mininova.notifications import events
from mininova.objects import Fault
from mininova.service import log

LOG = logging.getLogger(__name__)


class Rejections:
    """End the operations of refused casts.

    :param service: whose casts they are: api or conductor
    """

    def __init__(self, database: Database, notifier: rpc.Notifier, service: str) -> None:
        self.db, self.notifier, self.service = database, notifier, service

    def __call__(self, ctxt: RequestContext, refused: rpc.Request, error: Exception) -> None:
        """Fail what is being done to each instance of one refused cast."""
        log.working_for(ctxt.request_id)
        LOG.error(
            "%s ends what the cast %s %s was for, which was refused: %s",
            self.service,
            refused.method,
            refused.version,
            error,
        )
        fault = Fault(code=500, message=f"{refused.method} was refused: {error}", created_at=datetime.now(UTC))
        for uuid, generation in _instances_in(objects.unwrap(refused.args)):
            self._fail(ctxt, uuid, generation, fault)

    def _fail(self, ctxt: RequestContext, uuid: str, generation: int, fault: Fault) -> None:
        try:
            with self.db.write() as tx:
                instance = instances.get(tx, uuid)
                operation = states.operation_of(instance.task_state)
                if operation is None:
                    return
                failed = endings.fail(tx, instance.replace(generation=generation), operation, fault)
        except endings.LOST as lost:
            LOG.info("%s drops the fault of instance %s, which has moved on: %s", self.service, uuid, lost)
            return
        events.tell_update(self.notifier, ctxt, instance, failed, self.service)
        action = events.ACTIONS[operation]
        events.tell(self.notifier, ctxt, failed, action, "error", message=fault.message, code=fault.code)


def _instances_in(args: dict[str, Any]) -> list[tuple[str, int]]:
    """Find the instances that a cast is about, ``instance`` or ``instances`` of its arguments: uuid and generation."""
    found = [args["instance"]] if "instance" in args else args.get("instances", [])
    return [(each["uuid"], each["generation"]) for each in found if isinstance(each, dict) and "uuid" in each]
