"""What a compute process does before it takes messages: it makes the guests and the instances of its host agree.

It asks the conductor which instances are on the host, and the driver which guests.  A guest without an instance is
destroyed, and an instance that should run and does not is written down as it is.

An operation under way is left alone: its message was not acknowledged, so the broker delivers it again, or else a
conductor sends it again (conductor/sweeper.py).  Nova's table is in ``_init_instance`` (nova: compute/manager.py).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mininova import errors, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.objects import Instance, InstanceChanges
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# What becomes of an instance that was thought to be active, by what the hypervisor says of its guest.
RESTS: Mapping[int, str] = {
    states.SHUTDOWN: states.STOPPED,
    states.CRASHED: states.STOPPED,
    states.NOSTATE: states.ERROR,  # there is no guest
}


class StartUp:
    """Make the guests of a host and its instances agree."""

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI) -> None:
        self._host, self._driver, self._conductor = host, driver, conductor

    def reconcile(self, ctxt: RequestContext) -> None:
        """Remove guests without an instance, and correct what is no longer true."""
        instances = self._conductor.get_instances(ctxt, self._host)
        self._remove_strangers({instance.uuid for instance in instances})
        for instance in instances:
            if instance.vm_state == states.ACTIVE and instance.task_state is None:
                with _logged(instance):
                    self._correct(ctxt, instance)

    def _remove_strangers(self, known: set[str]) -> None:
        for uuid in set(self._driver.list_instance_uuids()) - known:
            LOG.warning("compute destroys the guest of instance %s, which is not on this host", uuid)
            try:
                self._driver.destroy(uuid)
            except errors.MininovaError as error:
                LOG.error("compute could not destroy the guest of instance %s: %s", uuid, error)

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
        LOG.warning("compute found that instance %s does not run, and writes %s", instance.uuid, changes.written())
        self._conductor.update_instance(ctxt, instance, None, changes)


@contextmanager
def _logged(instance: Instance) -> Iterator[None]:
    """Log what goes wrong with one instance, which must not keep the host from serving the others."""
    try:
        yield
    except errors.MininovaError as error:
        LOG.error("compute could not settle instance %s at start-up: %s", instance.uuid, error)
