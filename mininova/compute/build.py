"""One boot, step by step, as the compute host sees it.

The compute manager calls it for each build that the conductor casts.  A build may be delivered twice, it may
race with a delete, and the hypervisor may fail: ``_boot`` tells the good story, and the rest of the file the
others.  Every step is a compare-and-swap through the conductor, which gives the instance to go on with; that is
what stops a build whose instance somebody else has taken over.

What cannot be settled here, such as a conductor that does not answer, travels: the message is delivered again.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from mininova import errors, states
from mininova.compute.outcomes import DELETE_WON, fault_of
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import Phase, tell
from mininova.objects import Instance, InstanceChanges, RequestSpec, Selection
from mininova.rpc import Notifier
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class Builder:
    """Build instances on one host.

    :param max_concurrent_builds: further builds wait for their turn
    :param clock: tells the time, for ``launched_at``
    """

    def __init__(
        self,
        host: str,
        driver: ComputeDriver,
        conductor: ConductorAPI,
        notifier: Notifier,
        *,
        max_concurrent_builds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._host, self._driver, self._conductor, self._notifier = host, driver, conductor, notifier
        self._turns = threading.Semaphore(max_concurrent_builds)
        self._clock = clock

    def build(
        self, ctxt: RequestContext, instance: Instance, request_spec: RequestSpec, alternates: list[Selection]
    ) -> None:
        """Boot an instance here, or give it back to the conductor, or give way to a delete."""
        with self._turns:
            try:
                self._boot_or_take_up(ctxt, instance, request_spec, alternates)
            except DELETE_WON as error:
                LOG.info("The build of instance %s ends, for it is being deleted: %s", instance.uuid, error)
                self._driver.destroy(instance.uuid)

    def _boot(
        self, ctxt: RequestContext, instance: Instance, request_spec: RequestSpec, alternates: list[Selection]
    ) -> None:
        image = request_spec.image
        LOG.info("Instance %s: booting %s from image %s", instance.uuid, instance.flavor.name, image.name or image.id)
        self._tell(ctxt, instance, "start", image_name=image.name)

        try:
            instance = self._conductor.allocate_network(ctxt, instance)
        except errors.NoMoreAddresses as error:  # which no other host could mend
            return self._fail(ctxt, instance, error)

        instance = self._enter(ctxt, instance, states.BLOCK_DEVICE_MAPPING)
        instance = self._enter(ctxt, instance, states.SPAWNING)

        try:
            self._driver.spawn(instance, image)
            power_state = self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # whatever a hypervisor throws, another host may do better
            return self._give_back(ctxt, instance, request_spec, alternates, error)

        instance = self._finish(ctxt, instance, power_state)
        LOG.info("Instance %s: active", instance.uuid)
        return self._tell(ctxt, instance, "end", image_name=image.name)

    # ---- the steps

    def _enter(self, ctxt: RequestContext, instance: Instance, task_state: str) -> Instance:
        return self._update(ctxt, instance, task_state=task_state)

    def _finish(self, ctxt: RequestContext, instance: Instance, power_state: int) -> Instance:
        return self._update(
            ctxt, instance, power_state=power_state, progress=100, launched_at=self._clock(), **states.finish("build")
        )

    def _update(self, ctxt: RequestContext, instance: Instance, **changes: Any) -> Instance:
        expected = list[str | None](states.under_way("build"))
        return self._conductor.update_instance(ctxt, instance, InstanceChanges(**changes), expected)

    def _tell(self, ctxt: RequestContext, instance: Instance, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, "create", phase, **extra)

    # ---- the other stories

    def _boot_or_take_up(
        self, ctxt: RequestContext, instance: Instance, request_spec: RequestSpec, alternates: list[Selection]
    ) -> None:
        """Boot; if the row is not as the message has it, go on from where the row is.

        That happens to a build that is delivered again after this process died, or the answer to a step was lost.
        """
        try:
            return self._boot(ctxt, instance, request_spec, alternates)
        except errors.InstanceBeingDeleted:
            raise
        except errors.InstanceUpdateConflict as conflict:
            fresh = self._conductor.get_instance(ctxt, instance.uuid)
            LOG.info("Instance %s: %s Now it is %s.", instance.uuid, conflict, fresh.vm_state)
        if fresh.host != self._host:
            LOG.warning("Instance %s lives on %s now: nothing of it may run here", fresh.uuid, fresh.host)
            return self._driver.destroy(fresh.uuid)
        if fresh.vm_state == states.BUILDING:
            return self._boot(ctxt, fresh, request_spec, alternates)
        if fresh.vm_state == states.ACTIVE:  # done already, and nobody knows whether its end was told
            return self._tell(ctxt, fresh, "end", image_name=request_spec.image.name)
        return None

    def _give_back(
        self,
        ctxt: RequestContext,
        instance: Instance,
        request_spec: RequestSpec,
        alternates: list[Selection],
        error: Exception,
    ) -> None:
        """Clear up, and have the conductor try the next host.

        What cannot be cleared up must not be built elsewhere, or the guest might run twice: that ends the build.
        """
        LOG.warning("Instance %s could not be spawned: %s", instance.uuid, error)
        try:
            self._driver.destroy(instance.uuid)
        except Exception as second:
            LOG.error("What is left of instance %s cannot be removed: %s", instance.uuid, second)
            return self._fail(ctxt, instance, error)
        self._tell(ctxt, instance, "error", message=str(error))
        return self._conductor.reschedule_instance(ctxt, instance, request_spec, alternates, fault_of(error))

    def _fail(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        LOG.error("The build of instance %s failed: %s", instance.uuid, error)
        instance = self._conductor.fail_instance(ctxt, instance, "build", fault_of(error))
        self._tell(ctxt, instance, "error", message=str(error))
