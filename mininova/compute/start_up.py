"""What a compute process does before it takes messages: it compares what should be with what is.

Nova's table is in ``_init_instance`` (nova: compute/manager.py); ours is shorter, since messages whose receiver
died are delivered again.  A build under way is therefore left alone: its message will come.
"""

import logging
from collections.abc import Callable, Mapping

from mininova import errors, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.objects import Instance, InstanceChanges
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

Redo = Callable[[RequestContext, Instance], None]

# What becomes of an instance that was thought to be active, by what the hypervisor says of its guest.
RESTS: Mapping[int, str] = {
    states.SHUTDOWN: states.STOPPED,
    states.CRASHED: states.STOPPED,
    states.NOSTATE: states.ERROR,  # there is no guest
}


class StartUp:
    """Make the guests of a host and its instances agree.

    :param redo: for each operation that is taken up again, what does it
    """

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, redo: Mapping[str, Redo]) -> None:
        self._host, self._driver, self._conductor, self._redo = host, driver, conductor, redo

    def reconcile(self, ctxt: RequestContext) -> None:
        """Remove guests without an instance, finish what was begun, and correct what is no longer true."""
        instances = self._conductor.get_instances(ctxt, self._host)
        self._remove_strangers({instance.uuid for instance in instances})
        for instance in instances:
            try:
                self._settle(ctxt, instance)
            except errors.MininovaError as error:  # one instance must not keep the host from serving the others
                LOG.error("Instance %s could not be settled at start-up: %s", instance.uuid, error)

    def _remove_strangers(self, known: set[str]) -> None:
        for uuid in set(self._driver.list_instance_uuids()) - known:
            LOG.warning("A guest runs for instance %s, which is not on this host: it is destroyed", uuid)
            try:
                self._driver.destroy(uuid)
            except errors.MininovaError as error:
                LOG.error("The guest of instance %s is still there: %s", uuid, error)

    def _settle(self, ctxt: RequestContext, instance: Instance) -> None:
        operation = states.operation_of(instance.task_state)
        if operation is not None and operation in self._redo:
            LOG.info("Instance %s: the %s that was interrupted is taken up again", instance.uuid, operation)
            self._redo[operation](ctxt, instance)
        elif instance.vm_state == states.ACTIVE and instance.task_state is None:
            self._correct(ctxt, instance)

    def _correct(self, ctxt: RequestContext, instance: Instance) -> None:
        """Write down what the hypervisor says of an instance that should be running."""
        try:
            power_state = self._driver.get_info(instance)
        except errors.GuestNotFound:
            power_state = states.NOSTATE
        if power_state == states.RUNNING:
            return
        changes = InstanceChanges(power_state=power_state)
        if power_state in RESTS:
            changes = changes.replace(vm_state=RESTS[power_state])
        LOG.warning("Instance %s does not run any more: it is %s now", instance.uuid, changes)
        self._conductor.update_instance(ctxt, instance, changes, [None])
