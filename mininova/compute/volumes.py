"""How a guest gets a volume and loses it, as its host sees it.

The conductor's record says which of the two is under way.  A message may come twice, or late: the hypervisor knows a
volume by its attachment, so what is detached late is not what was attached since.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mininova import errors
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import Action, tell
from mininova.objects import BlockDevice, Instance
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# The instance is elsewhere, or what the message is about has ended.
OVER = (errors.InstanceNotFound, errors.BlockDeviceNotFound)


class VolumeFlows:
    """Attach volumes to the guests of one host, detach them, and make snapshots of them."""

    def __init__(self, driver: ComputeDriver, conductor: ConductorAPI, notifier: Notifier) -> None:
        self._driver, self._conductor, self._notifier = driver, conductor, notifier

    def attach(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Give the guest a volume; one that nobody waits for any more is taken away again."""
        if not self._do(ctxt, instance, device, "volume_attach", self._driver.attach_volume):
            self._driver.detach_volume(instance, device)

    def detach(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Take a volume away from the guest."""
        self._do(ctxt, instance, device, "volume_detach", self._driver.detach_volume)

    def make_snapshot(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Make a snapshot of a volume; the volume service hears from the hypervisor how that went."""
        with _logged("make", "made", f"snapshot {snapshot_id} of volume {volume_id}"):
            self._driver.volume_snapshot_create(instance, volume_id, snapshot_id)

    def delete_snapshot(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Delete a snapshot of a volume, likewise."""
        with _logged("delete", "deleted", f"snapshot {snapshot_id} of volume {volume_id}"):
            self._driver.volume_snapshot_delete(instance, volume_id, snapshot_id)

    def _do(
        self,
        ctxt: RequestContext,
        instance: Instance,
        device: BlockDevice,
        action: Action,
        do: Callable[[Instance, BlockDevice], None],
    ) -> bool:
        """Do one of both, and say how it ended; False when that was over before."""
        tell(self._notifier, ctxt, instance, action, "start", volume_id=device.volume_id)
        try:
            try:
                do(instance, device)
            except Exception as error:  # a hypervisor may raise anything: the owner reads it in the action
                LOG.warning("compute: %s of %s and %s failed: %s", action, instance.uuid, device.volume_id, error)
                self._conductor.fail_attachment(ctxt, instance, device, fault_of(error))
                return True
            self._conductor.end_attachment(ctxt, instance, device)
        except OVER as over:
            LOG.info("compute drops the %s of instance %s, which is over: %s", action, instance.uuid, over)
            return False
        LOG.info("compute has done the %s of instance %s and volume %s", action, instance.uuid, device.volume_id)
        tell(self._notifier, ctxt, instance, action, "end", volume_id=device.volume_id)
        return True


@contextmanager
def _logged(doing: str, done: str, what: str) -> Iterator[None]:
    """Log how something went for which no one waits."""
    try:
        yield
    except Exception as error:  # a hypervisor may raise anything
        LOG.warning("compute cannot %s %s: %s", doing, what, error)
    else:
        LOG.info("compute has %s %s", done, what)
