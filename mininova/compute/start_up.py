"""What a compute process does before it takes messages: it makes the guests and the instances of its host agree.

It asks the conductor which instances are on the host, and the driver which guests.  A guest without an instance is
destroyed, an operation that was interrupted is carried out again, and an instance that should run and does not is
written down as it is.

A build under way is left alone: its message was not acknowledged, so the broker delivers it again.  Nova's table is in
``_init_instance`` (nova: compute/manager.py).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mininova import errors, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.objects import Instance, InstanceAction, InstanceChanges
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

    :param redo: for each operation that is carried out again, what does it
    """

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, redo: Mapping[str, Redo]) -> None:
        self._host, self._driver, self._conductor, self._redo = host, driver, conductor, redo

    def reconcile(self, ctxt: RequestContext) -> None:
        """Remove guests without an instance, finish what was interrupted, and correct what is no longer true."""
        instances = self._conductor.get_instances(ctxt, self._host)
        self._remove_strangers({instance.uuid for instance in instances})
        self._finish_interrupted(ctxt, [instance for instance in instances if self._operation(instance)])
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

    def _finish_interrupted(self, ctxt: RequestContext, interrupted: list[Instance]) -> None:
        """Carry out again what was begun, each in the name of the request that asked for it."""
        if not interrupted:
            return
        asked = {action.instance_uuid: action for action in self._conductor.get_actions(ctxt, self._host)}
        for instance in interrupted:
            operation = self._operation(instance)
            LOG.info("compute carries out the interrupted %s of instance %s again", operation, instance.uuid)
            with _logged(instance):
                self._redo[operation](_on_behalf_of(asked.get(instance.uuid), ctxt), instance)

    def _operation(self, instance: Instance) -> str:
        """Name the operation that was interrupted; "" when there is none, or none that is carried out again."""
        operation = states.operation_of(instance.task_state) or ""
        return operation if operation in self._redo else ""

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


def _on_behalf_of(action: InstanceAction | None, ctxt: RequestContext) -> RequestContext:
    """Make the context of the request that asked for an action; where none is recorded, it is the service's own."""
    if action is None:
        return ctxt
    return RequestContext(request_id=action.request_id, user_id=action.user_id, project_id=action.project_id)
