"""What happens when a receiver refuses a cast: the operation fails, and its owner reads why.

A receiver refuses a cast whose version it does not speak.  The cast comes back to the process that sent it (rpc.Peer),
the api or the conductor, which here ends the operation of every instance in it, so that none stays in the middle.  An
instance that has moved on since the cast was sent, which its generation tells, is left alone: a rejection may be late,
or be sent twice by a host that is not trusted.
"""

import logging
from typing import Any

from mininova import objects, rpc
from mininova.context import RequestContext
from mininova.db import instances, open_operations
from mininova.service import log
from mininova.service.faults import fault_of
from mininova.service.operation_ends import OperationEnds

LOG = logging.getLogger(__name__)


class Rejections:
    """End the operations of refused casts.

    :param ends: of the service whose casts they are: api or conductor
    :param what: happened to them, for the fault and the log
    """

    def __init__(self, ends: OperationEnds, what: str = "refused") -> None:
        self.ends, self.what = ends, what

    def __call__(self, ctxt: RequestContext, cast: rpc.Request, error: Exception) -> None:
        """Fail what is being done to each instance of one cast."""
        log.working_for(ctxt.request_id)
        about, what = _instances_in(objects.unwrap(cast.args)), f"{cast.method} was {self.what}"
        uuids = ", ".join(uuid for uuid, _ in about)
        LOG.error("%s ends what %s was for, as %s: %s", self.ends.service, uuids, what, error)
        fault = fault_of(error, what)
        for uuid, generation in about:
            with self.ends.db.read() as tx:
                found, operation = instances.get_many(tx, [uuid]), open_operations.of(tx, uuid)
            for instance in found:
                if operation is not None:
                    self.ends.fail(ctxt, instance.replace(generation=generation), operation.operation, fault)


def _instances_in(args: dict[str, Any]) -> list[tuple[str, int]]:
    """Find the instances that a cast is about, ``instance`` or ``instances`` of its arguments: uuid and generation."""
    found = [args["instance"]] if "instance" in args else args.get("instances", [])
    return [(each["uuid"], each["generation"]) for each in found if isinstance(each, dict) and "uuid" in each]
