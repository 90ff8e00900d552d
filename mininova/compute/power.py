"""Stopping, starting and rebooting: one flow for all of them, and a table of what differs.

The compute manager calls it for each such message, and at start-up for those that were left half-done.  The
first thing it does is a compare-and-swap, even where that changes nothing but the generation: so a message that
is delivered twice, or late, does not touch a guest that its owner has asked other things of since.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors, states
from mininova.compute.outcomes import DELETE_WON, fault_of
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import ACTIONS, tell
from mininova.objects import Instance, InstanceChanges
from mininova.rpc import Notifier
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


# What each asks of the driver, by the names of states.OPERATIONS, where the states that they pass through are.
OPERATIONS: Mapping[str, Callable[[ComputeDriver, Instance], None]] = {
    "stop": lambda driver, instance: driver.power_off(instance),
    "start": lambda driver, instance: driver.power_on(instance),
    "reboot": lambda driver, instance: driver.reboot(instance, "SOFT"),
    "hard_reboot": lambda driver, instance: driver.reboot(instance, "HARD"),
}


class Power:
    """Carry out power operations on the instances of one host."""

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, notifier: Notifier) -> None:
        self._host, self._driver, self._conductor, self._notifier = host, driver, conductor, notifier

    def carry_out(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        """Do an operation that the api has accepted, unless it is done already or a delete came between.

        :param operation: a name in OPERATIONS
        """
        try:
            self._run_or_take_up(ctxt, instance, operation)
        except DELETE_WON as error:
            LOG.info("Instance %s: the %s ends, for it is being deleted: %s", instance.uuid, operation, error)

    def _run(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        ask, action = OPERATIONS[operation], ACTIONS[operation]
        passes = states.under_way(operation)
        for task_state in passes[1:] or passes:
            instance = self._update(ctxt, instance, operation, task_state=task_state)

        tell(self._notifier, ctxt, instance, action, "start")
        try:
            ask(self._driver, instance)
            power_state = self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # whatever a hypervisor throws ends the operation, in words for the owner
            LOG.warning("Instance %s: the %s failed: %s", instance.uuid, operation, error)
            instance = self._conductor.fail_instance(ctxt, instance, operation, fault_of(error))
            return tell(self._notifier, ctxt, instance, action, "error", message=str(error))

        instance = self._update(ctxt, instance, operation, power_state=power_state, **states.finish(operation))
        LOG.info("Instance %s: %s done", instance.uuid, operation)
        return tell(self._notifier, ctxt, instance, action, "end")

    def _run_or_take_up(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        """Run; if the row is not as the message has it, go on from there, provided it still waits for this."""
        try:
            return self._run(ctxt, instance, operation)
        except errors.InstanceBeingDeleted:
            raise
        except errors.InstanceUpdateConflict as conflict:
            LOG.info("Instance %s: %s", instance.uuid, conflict)
        fresh = self._conductor.get_instance(ctxt, instance.uuid)
        if fresh.host == self._host and states.operation_of(fresh.task_state) == operation:
            return self._run(ctxt, fresh, operation)
        return None

    def _update(self, ctxt: RequestContext, instance: Instance, operation: str, **changes: Any) -> Instance:
        expected = list[str | None](states.under_way(operation))
        return self._conductor.update_instance(ctxt, instance, InstanceChanges(**changes), expected)
