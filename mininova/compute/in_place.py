"""What is done to an instance where it is, such as stopping or pausing: one flow, and a table of what differs.

The compute manager calls ``InPlace.carry_out`` for each such message.
The first thing it does is a compare-and-swap, even where that changes nothing but the generation.  So a message that
is delivered twice, or late, does not touch a guest that its owner has since asked something else of.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mininova import errors, states
from mininova.compute.outcomes import DELETE_WON
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import ACTIONS, Phase, tell
from mininova.objects import NO_ARGUMENTS, Arguments, BlockDevice, ImageMeta, Instance, InstanceChanges
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class Disks(NamedTuple):
    """The image that a guest is made of, and the volumes that it has."""

    image: ImageMeta
    devices: Sequence[BlockDevice] = ()


def _rebuild(driver: ComputeDriver, instance: Instance, disks: Disks) -> None:
    """Make the guest anew; one that was stopped is stopped again."""
    driver.rebuild(instance, disks.image, disks.devices)
    if instance.vm_state == states.STOPPED:
        driver.power_off(instance)


def _unshelve(driver: ComputeDriver, instance: Instance, disks: Disks) -> None:
    """Start the guest; one that was offloaded is made of its image."""
    driver.spawn(instance, disks.image, disks.devices)
    driver.power_on(instance)


# What each operation of states.OPERATIONS asks of the driver.
OPERATIONS: Mapping[str, Callable[[ComputeDriver, Instance, Disks], None]] = {
    "stop": lambda driver, instance, _: driver.power_off(instance),
    "start": lambda driver, instance, _: driver.power_on(instance),
    "reboot": lambda driver, instance, _: driver.reboot(instance, "SOFT"),
    "hard_reboot": lambda driver, instance, _: driver.reboot(instance, "HARD"),
    "pause": lambda driver, instance, _: driver.pause(instance),
    "unpause": lambda driver, instance, _: driver.unpause(instance),
    "suspend": lambda driver, instance, _: driver.suspend(instance),
    "resume": lambda driver, instance, _: driver.resume(instance),
    "rescue": lambda driver, instance, disks: driver.rescue(instance, disks.image),
    "unrescue": lambda driver, instance, _: driver.unrescue(instance),
    "rebuild": _rebuild,
    "change_password": lambda driver, instance, _: driver.set_admin_password(instance),
    "unshelve": _unshelve,
    "soft_delete": lambda driver, instance, _: driver.power_off(instance),
    "restore": lambda driver, instance, _: driver.power_on(instance),
}
# Under which key the events of an operation name the image that it uses.
IMAGE_NAMED: Mapping[str, str] = {"rescue": "rescue_image_name", "rebuild": "image_name"}


class InPlace:
    """Carry out operations on the instances of one host that stay there."""

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, notifier: Notifier) -> None:
        self._host, self._driver, self._conductor, self._notifier = host, driver, conductor, notifier

    def carry_out(
        self, ctxt: RequestContext, instance: Instance, operation: str, asked: Arguments = NO_ARGUMENTS
    ) -> None:
        """Do an operation that the api has accepted, unless it is done already or a delete came between.

        :param operation: a name in OPERATIONS
        :param asked: what it is asked with
        """
        try:
            self._run_or_resume(ctxt, instance, operation, asked)
        except DELETE_WON as error:
            LOG.info("compute drops the %s of instance %s, which is being deleted: %s", operation, instance.uuid, error)
            if instance.vm_state == states.SHELVED_OFFLOADED:
                self._remove(instance)

    def _run(self, ctxt: RequestContext, instance: Instance, operation: str, asked: Arguments) -> None:
        do, disks = OPERATIONS[operation], Disks(asked.image)
        passes = states.OPERATIONS[operation].passes
        for task_state in passes[1:] or passes:
            instance = self._update(ctxt, instance, operation, task_state=task_state)
            try:
                if task_state == states.REBUILD_BLOCK_DEVICE_MAPPING:  # the next state says that it is of the new image
                    self._driver.destroy(instance.uuid)
                if asked.has_volumes and task_state in states.MAPS_VOLUMES:
                    disks = Disks(asked.image, self._conductor.connect_volumes(ctxt, instance))
            except (errors.InvalidBlockDevice, errors.HypervisorFailed) as error:
                return self._fail(ctxt, instance, operation, error)

        named = {IMAGE_NAMED[operation]: asked.image.name} if operation in IMAGE_NAMED else {}
        self._tell(ctxt, instance, operation, "start", **named)
        try:
            do(self._driver, instance, disks)
            power_state = self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._fail(ctxt, instance, operation, error)

        end = states.finish(operation, instance.vm_state)
        instance = self._update(ctxt, instance, operation, power_state=power_state, **end)
        LOG.info("compute has done the %s of instance %s", operation, instance.uuid)
        return self._tell(ctxt, instance, operation, "end", **named)

    def _update(self, ctxt: RequestContext, instance: Instance, operation: str, **changes: Any) -> Instance:
        return self._conductor.update_instance(ctxt, instance, operation, InstanceChanges(**changes))

    # ---- the other stories

    def _run_or_resume(self, ctxt: RequestContext, instance: Instance, operation: str, asked: Arguments) -> None:
        """Run; if the row is not as we know it, go on from where it is, as long as it waits for this.

        That happens when the message is old, and when the answer to a step was lost: then we have moved the row.
        """
        waits = True
        while waits:
            try:
                return self._run(ctxt, instance, operation, asked)
            except errors.InstanceBeingDeleted:
                raise
            except errors.InstanceUpdateConflict as conflict:
                LOG.info("compute looks again at instance %s before its %s: %s", instance.uuid, operation, conflict)
            instance = self._conductor.get_instance(ctxt, instance.uuid)
            waits = instance.host == self._host and instance.task_state in states.under_way(operation)
        return None

    def _fail(self, ctxt: RequestContext, instance: Instance, operation: str, error: Exception) -> None:
        LOG.warning("compute could not do the %s of instance %s: %s", operation, instance.uuid, error)
        if instance.vm_state == states.SHELVED_OFFLOADED:
            self._remove(instance)
        instance = self._conductor.fail_instance(ctxt, instance, operation, fault_of(error))
        self._tell(ctxt, instance, operation, "error", message=str(error))

    def _remove(self, instance: Instance) -> None:
        """Remove what there is of a guest that could not be made, before its instance leaves this host again."""
        try:
            self._driver.destroy(instance.uuid)
        except Exception as error:  # a hypervisor may raise anything: the reconciliation tries again
            LOG.error("compute cannot remove what is left of instance %s: %s", instance.uuid, error)

    def _tell(self, ctxt: RequestContext, instance: Instance, operation: str, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, ACTIONS[operation], phase, **extra)
