"""What becomes of an instance when a message to its host failed too often and was parked.

The host has the conductor end the operation, so that its owner reads why.  When the conductor cannot be reached either,
its sweeper takes the operation up later.
"""

import logging

import msgspec

from mininova import errors, objects, rpc, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.service import log
from mininova.service.faults import fault_of

LOG = logging.getLogger(__name__)


class GivenUp:
    """End the operations of parked casts.

    :param conductor: writes the fault
    """

    def __init__(self, conductor: ConductorAPI) -> None:
        self._conductor = conductor

    def __call__(self, ctxt: RequestContext, cast: rpc.Request, error: Exception) -> None:
        """Fail what one cast was to do, if that is still being done."""
        log.working_for(ctxt.request_id)
        args = objects.unwrap(cast.args)
        if "migration" in args:
            return self._fail_step(ctxt, msgspec.convert(args["migration"], objects.Migration), cast, error)
        asked = args.get("instance") or {}
        operation = states.operation_of(asked.get("vm_state", ""), asked.get("task_state"))
        if operation is None:
            return None
        try:
            instance = self._conductor.get_instance(ctxt, asked["uuid"])
            if instance.task_state in states.under_way(operation):
                LOG.error("compute gives the %s of instance %s up: %s", operation, instance.uuid, error)
                self._conductor.fail_instance(ctxt, instance, operation, fault_of(error, f"{cast.method} was given up"))
        except (errors.MininovaError, rpc.RPCError) as second:
            LOG.warning("compute leaves the %s of %s to the conductor: %s", operation, asked["uuid"], second)
        return None

    def _fail_step(
        self, ctxt: RequestContext, migration: objects.Migration, cast: rpc.Request, error: Exception
    ) -> None:
        """Fail a step of a migration."""
        uuid = migration.instance_uuid
        LOG.error("compute gives the %s of instance %s up: %s", migration.step, uuid, error)
        try:
            self._conductor.fail_step(ctxt, migration, fault_of(error, f"{cast.method} was given up"))
        except (errors.MininovaError, rpc.RPCError) as second:
            LOG.warning("compute leaves the %s of %s to the conductor: %s", migration.step, uuid, second)
