"""One boot, step by step, as the compute host sees it.

The compute manager calls ``Builder.build`` for each build that the conductor casts.  Each step is a compare-and-swap
through the conductor, which gives the instance to go on with.

A build may be delivered twice, it may race with a delete, and the hypervisor may fail.  ``_boot`` is the boot in which
all goes well; below it, "the other stories" are what happens otherwise.  An error that cannot be settled here, such as
a conductor that does not answer, is raised: the broker then delivers the message again.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from mininova import errors, states
from mininova.compute.outcomes import DELETE_WON
from mininova.compute.plugging import Plugging
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import Phase, tell
from mininova.objects import ImageMeta, Instance, InstanceChanges
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class Builder:
    """Build instances on one host.

    :param plugging: waits for the ports of an instance
    :param max_concurrent_builds: further builds wait for their turn
    :param clock: tells the time, for ``launched_at``
    :ivar failed_builds: how many have failed here since the last one that ended well
    """

    def __init__(
        self,
        host: str,
        driver: ComputeDriver,
        conductor: ConductorAPI,
        notifier: Notifier,
        plugging: Plugging,
        *,
        max_concurrent_builds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._host, self._driver, self._conductor, self._notifier = host, driver, conductor, notifier
        self._plugging = plugging
        self._turns = threading.Semaphore(max_concurrent_builds)
        self._clock = clock
        self.failed_builds = 0

    def build(self, ctxt: RequestContext, instance: Instance, image: ImageMeta, *, has_volumes: bool = False) -> bool:
        """Boot an instance here, or give it back to the conductor, or give way to a delete.

        :param has_volumes: whether it boots with volumes
        :return: False when the instance is not on this host any more: then its guest may be one too many here, or be
            kept until a resize is confirmed
        """
        with self._turns, self._plugging.expected(instance.uuid):
            try:
                self._boot_or_resume(ctxt, instance, image, has_volumes)
            except errors.InstanceNotFound as error:
                LOG.info("compute drops the build of instance %s, which is gone or elsewhere: %s", instance.uuid, error)
                return False
            except DELETE_WON as error:
                LOG.info("compute drops the build of instance %s, which is being deleted: %s", instance.uuid, error)
                self._driver.destroy(instance.uuid)
        return True

    def _boot(self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool) -> None:
        flavor, name = instance.flavor, image.name or image.id
        LOG.info("compute boots instance %s: flavor %s, image %s", instance.uuid, flavor.name, name)
        self._tell(ctxt, instance, "start", image_name=image.name)

        try:
            instance = self._conductor.allocate_network(ctxt, instance)
        except errors.NoMoreAddresses as error:  # no other host would have one either
            return self._fail(ctxt, instance, error)

        instance = self._enter(ctxt, instance, states.BLOCK_DEVICE_MAPPING)
        try:
            devices = self._conductor.connect_volumes(ctxt, instance) if has_volumes else ()
        except errors.InvalidBlockDevice as error:  # nor would another host have them
            return self._fail(ctxt, instance, error)

        instance = self._enter(ctxt, instance, states.SPAWNING)

        try:
            self._driver.spawn(instance, image, devices)
            self._plugging.wait(instance)
            power_state = self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except errors.VirtualInterfaceCreateFailed as error:  # nor would another host have it
            self._remove(instance)
            return self._fail(ctxt, instance, error)
        except Exception as error:  # a hypervisor may raise anything, and another host may do better
            return self._give_back(ctxt, instance, error)

        instance = self._finish(ctxt, instance, power_state)
        LOG.info("compute has booted instance %s", instance.uuid)
        self.failed_builds = 0
        return self._tell(ctxt, instance, "end", image_name=image.name)

    # ---- the steps

    def _enter(self, ctxt: RequestContext, instance: Instance, task_state: str) -> Instance:
        return self._update(ctxt, instance, task_state=task_state)

    def _finish(self, ctxt: RequestContext, instance: Instance, power_state: int) -> Instance:
        return self._update(
            ctxt, instance, power_state=power_state, progress=100, launched_at=self._clock(), **states.finish("build")
        )

    def _update(self, ctxt: RequestContext, instance: Instance, **changes: Any) -> Instance:
        return self._conductor.update_instance(ctxt, instance, "build", InstanceChanges(**changes))

    def _tell(self, ctxt: RequestContext, instance: Instance, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, "create", phase, **extra)

    # ---- the other stories

    def _boot_or_resume(self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool) -> None:
        """Boot; if the row is not as we know it, go on from where it is.

        That happens when this process died and the build is delivered again, and when the answer to a step was lost.
        """
        building = True
        while building:
            try:
                return self._boot(ctxt, instance, image, has_volumes)
            except errors.InstanceBeingDeleted:
                raise
            except errors.InstanceUpdateConflict as conflict:
                instance = self._conductor.get_instance(ctxt, instance.uuid)
                state = instance.vm_state
                LOG.info("compute resumes the build of instance %s, which is %s: %s", instance.uuid, state, conflict)
            if instance.host != self._host:
                raise errors.InstanceNotFound(f"instance {instance.uuid} is on {instance.host} now")
            building = instance.vm_state == states.BUILDING
        if instance.vm_state == states.ACTIVE:  # it is done, and its end may not have been published
            return self._tell(ctxt, instance, "end", image_name=image.name)
        return None

    def _give_back(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        """Remove what is left of the guest, and have the conductor try the next host.

        A guest that cannot be removed must not be built elsewhere, or it might run twice: that ends the build.
        """
        LOG.warning("compute could not spawn instance %s: %s", instance.uuid, error)
        self.failed_builds += 1
        if not self._remove(instance):
            return self._fail(ctxt, instance, error)
        self._tell(ctxt, instance, "error", message=str(error))
        return self._conductor.reschedule_instance(ctxt, instance, fault_of(error))

    def _remove(self, instance: Instance) -> bool:
        try:
            self._driver.destroy(instance.uuid)
        except Exception as error:  # a hypervisor may raise anything
            LOG.error("compute cannot remove what is left of instance %s: %s", instance.uuid, error)
            return False
        return True

    def _fail(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        LOG.error("compute ends the build of instance %s in ERROR: %s", instance.uuid, error)
        instance = self._conductor.fail_instance(ctxt, instance, "build", fault_of(error))
        self._tell(ctxt, instance, "error", message=str(error))
