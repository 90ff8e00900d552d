"""What becomes of a cast that its receiver refused: the operation failed, and its owner is told why.

A receiver refuses what it does not speak: an older service, or a newer one.  The cast comes back to the process
that sent it (rpc.Peer), the api or the conductor, and this ends the operation of every instance in it, so that
nothing stays in the middle of something that nobody does.  An instance that has moved on since the cast was sent, which
its generation tells, is left alone: a rejection may be late, or be said twice by a host that is not to be believed.
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

LOG = logging.getLogger(__name__)


class Rejections:
    """End the operations of refused casts.

    :param service: whose casts they are: api or conductor
    """

    def __init__(self, database: Database, notifier: rpc.Notifier, service: str) -> None:
        self.db, self.notifier, self.service = database, notifier, service

    def __call__(self, ctxt: RequestContext, refused: rpc.Request, error: Exception) -> None:
        """Fail what is being done to each instance of one refused cast."""
        LOG.error("cast %s %s was refused: %s", refused.method, refused.version, error)
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
                failed = endings.fail(tx, ctxt, instance.replace(generation=generation), operation, fault)
        except endings.LOST as lost:
            LOG.info("instance %s has no use for a fault: %s", uuid, lost)
            return
        events.tell_update(self.notifier, ctxt, instance, failed, self.service)
        action = events.ACTIONS[operation]
        events.tell(self.notifier, ctxt, failed, action, "error", message=fault.message, code=fault.code)


def _instances_in(args: dict[str, Any]) -> list[tuple[str, int]]:
    """Find the instances that a cast is about, ``instance`` or ``instances`` of its arguments: uuid and generation."""
    found = [args["instance"]] if "instance" in args else args.get("instances", [])
    return [(each["uuid"], each["generation"]) for each in found if isinstance(each, dict) and "uuid" in each]
