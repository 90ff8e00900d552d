"""What is done to an instance where it is, such as stopping or pausing: one flow, and a table of what differs.

The compute manager calls ``InPlace.carry_out`` for each such message.
The first thing it does is a compare-and-swap, even where that changes nothing but the generation.  So a message that
is delivered twice, or late, does not touch a guest that its owner has since asked something else of.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors, states
from mininova.compute.outcomes import DELETE_WON
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import ACTIONS, Phase, tell
from mininova.objects import Instance, InstanceChanges
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# What each operation of states.OPERATIONS asks of the driver.
OPERATIONS: Mapping[str, Callable[[ComputeDriver, Instance], None]] = {
    "stop": lambda driver, instance: driver.power_off(instance),
    "start": lambda driver, instance: driver.power_on(instance),
    "reboot": lambda driver, instance: driver.reboot(instance, "SOFT"),
    "hard_reboot": lambda driver, instance: driver.reboot(instance, "HARD"),
    "pause": lambda driver, instance: driver.pause(instance),
    "unpause": lambda driver, instance: driver.unpause(instance),
    "suspend": lambda driver, instance: driver.suspend(instance),
    "resume": lambda driver, instance: driver.resume(instance),
    "change_password": lambda driver, instance: driver.set_admin_password(instance),
    "soft_delete": lambda driver, instance: driver.power_off(instance),
    "restore": lambda driver, instance: driver.power_on(instance),
}


class InPlace:
    """Carry out operations on the instances of one host that stay there."""

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, notifier: Notifier) -> None:
        self._host, self._driver, self._conductor, self._notifier = host, driver, conductor, notifier

    def carry_out(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        """Do an operation that the api has accepted, unless it is done already or a delete came between.

        :param operation: a name in OPERATIONS
        """
        try:
            self._run_or_resume(ctxt, instance, operation)
        except DELETE_WON as error:
            LOG.info("compute drops the %s of instance %s, which is being deleted: %s", operation, instance.uuid, error)

    def _run(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        ask = OPERATIONS[operation]
        passes = states.OPERATIONS[operation].passes
        for task_state in passes[1:] or passes:
            instance = self._update(ctxt, instance, operation, task_state=task_state)

        self._tell(ctxt, instance, operation, "start")
        try:
            ask(self._driver, instance)
            power_state = self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._fail(ctxt, instance, operation, error)

        instance = self._update(ctxt, instance, operation, power_state=power_state, **states.finish(operation))
        LOG.info("compute has done the %s of instance %s", operation, instance.uuid)
        return self._tell(ctxt, instance, operation, "end")

    def _update(self, ctxt: RequestContext, instance: Instance, operation: str, **changes: Any) -> Instance:
        return self._conductor.update_instance(ctxt, instance, operation, InstanceChanges(**changes))

    # ---- the other stories

    def _run_or_resume(self, ctxt: RequestContext, instance: Instance, operation: str) -> None:
        """Run; if the row is not as the message has it, go on from there, provided it still waits for this."""
        try:
            return self._run(ctxt, instance, operation)
        except errors.InstanceBeingDeleted:
            raise
        except errors.InstanceUpdateConflict as conflict:
            LOG.info("compute looks again at instance %s before its %s: %s", instance.uuid, operation, conflict)
        fresh = self._conductor.get_instance(ctxt, instance.uuid)
        if fresh.host == self._host and states.operation_of(fresh.task_state) == operation:
            return self._run(ctxt, fresh, operation)
        return None

    def _fail(self, ctxt: RequestContext, instance: Instance, operation: str, error: Exception) -> None:
        LOG.warning("compute could not do the %s of instance %s: %s", operation, instance.uuid, error)
        instance = self._conductor.fail_instance(ctxt, instance, operation, fault_of(error))
        self._tell(ctxt, instance, operation, "error", message=str(error))

    def _tell(self, ctxt: RequestContext, instance: Instance, operation: str, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, ACTIONS[operation], phase, **extra)
