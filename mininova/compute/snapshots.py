"""How an image is made of an instance, as its host sees it: take the guest's disk, and have the conductor upload it.

The compute manager calls ``Snapshots.carry_out`` for a snapshot, a backup and a shelving, which stops the guest first,
and ``Offloads.carry_out`` when a shelved guest is to leave.  A host has no credentials for images:
it gives what it took to the conductor, whose record says which image that is for.  All that may go wrong is what may go
wrong with any operation in its place (in_place.py).
"""

import logging

from mininova import errors, states
from mininova.compute.in_place import InPlace
from mininova.context import RequestContext
from mininova.objects import Arguments, Instance

LOG = logging.getLogger(__name__)


class Snapshots(InPlace):
    """Make images of the instances of one host."""

    def _run(self, ctxt: RequestContext, instance: Instance, operation: str, asked: Arguments) -> None:
        for task_state in states.OPERATIONS[operation].passes[1:-1]:
            instance = self._update(ctxt, instance, operation, task_state=task_state)
        self._tell(ctxt, instance, operation, "start")
        try:
            if operation == "shelve":
                self._driver.power_off(instance)
            taken, power_state = self._driver.snapshot(instance), self._driver.get_info(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._fail(ctxt, instance, operation, error)

        try:
            instance = self._conductor.upload_snapshot(ctxt, instance, operation, taken)
        except (errors.ImageNotFound, errors.ImageNotUploaded) as error:
            fresh = self._conductor.get_instance(ctxt, instance.uuid)
            return self._fail(ctxt, fresh, operation, error)

        end = states.finish(operation, instance.vm_state)
        instance = self._update(ctxt, instance, operation, power_state=power_state, **end)
        LOG.info("compute has done the %s of instance %s", operation, instance.uuid)
        return self._tell(ctxt, instance, operation, "end")


class Offloads(InPlace):
    """Remove the guests of shelved instances, which then are on no host."""

    def _run(self, ctxt: RequestContext, instance: Instance, operation: str, asked: Arguments) -> None:
        instance = self._update(ctxt, instance, operation, task_state=states.SHELVING_OFFLOADING)
        self._tell(ctxt, instance, operation, "start")
        try:
            self._driver.destroy(instance.uuid)
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._fail(ctxt, instance, operation, error)
        instance = self._conductor.offload_instance(ctxt, instance)
        LOG.info("compute has offloaded instance %s", instance.uuid)
        return self._tell(ctxt, instance, operation, "end")
