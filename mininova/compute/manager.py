"""What a compute node does for each message of ComputeAPI (nova: compute/manager.py).

rpc.Server calls a method for each message; several threads may do so at once, and one message may come twice.
The flows are elsewhere: a boot in ``build``, what is done to an instance where it is in ``in_place``, the making of
images in ``snapshots``, a step of its way to another host in ``migrate``, and in ``reconcile`` what keeps guests and
instances in agreement.  This module knows the conductor and its hypervisor, and no database.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mininova import errors, states
from mininova.compute.build import Builder
from mininova.compute.in_place import InPlace
from mininova.compute.interfaces import Interfaces
from mininova.compute.locks import InstanceLocks
from mininova.compute.migrate import NO_IMAGE, Mover
from mininova.compute.plugging import Plugging
from mininova.compute.reconcile import Reconciler
from mininova.compute.rpcapi import ComputeAPI
from mininova.compute.snapshots import Offloads, Snapshots
from mininova.compute.volumes import VolumeFlows
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext, service_context
from mininova.notifications.audit_period import HOUR, AuditPeriod
from mininova.notifications.events import Action, Phase, tell, tell_cached_images, tell_exists_so_far
from mininova.objects import NO_ARGUMENTS, Arguments, BlockDevice, Console, ImageMeta, Instance, Migration, Service
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.service.upgrade_levels import spoken
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

BINARY = "nova-compute"  # the name that Nova's clients ask for


def _now() -> datetime:
    return datetime.now(UTC)


class ComputeManager:
    """Build and run the instances of one host.

    :param availability_zone: where the host says it is
    :param max_concurrent_builds: how many builds are worked on at a time
    :param counts_failed_builds: whether it reports how many have failed, for the scheduler
    :param audit_period: the period of the usage that is published before an instance is deleted
    :param plugging: waits for the ports of an instance that is built; None waits for none
    :param down_after: seconds of silence after which the others believe that the host is down
    :param clock: tells the time
    """

    def __init__(
        self,
        host: str,
        driver: ComputeDriver,
        conductor: ConductorAPI,
        notifier: Notifier,
        *,
        availability_zone: str = "nova",
        max_concurrent_builds: int = 10,
        counts_failed_builds: bool = True,
        audit_period: AuditPeriod = HOUR,
        plugging: Plugging | None = None,
        down_after: float = 60.0,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.host, self.driver = host, driver
        self._conductor, self._notifier, self._clock = conductor, notifier, clock
        self._availability_zone, self._audit_period = availability_zone, audit_period
        self._counts_failed_builds = counts_failed_builds
        self._locks = InstanceLocks()
        self._plugging = plugging or Plugging(0.0, is_fatal=False)
        self._builder = Builder(
            host, driver, conductor, notifier, self._plugging, max_concurrent_builds=max_concurrent_builds, clock=clock
        )
        self._in_place = InPlace(host, driver, conductor, notifier)
        self._interfaces = Interfaces(driver, conductor, notifier)
        snapshots, offloads = (flow(host, driver, conductor, notifier) for flow in (Snapshots, Offloads))
        self._flows = {**dict.fromkeys(states.IMAGE_MAKERS, snapshots), "shelve_offload": offloads}
        self._volumes = VolumeFlows(driver, conductor, notifier)
        self._mover = Mover(driver, conductor, notifier, audit_period, clock)
        self._reconciler = Reconciler(host, driver, conductor, self._locks)
        self._down_after, self._reported_at = timedelta(seconds=down_after), None  # type: timedelta, datetime | None

    # ---- ComputeAPI

    def build_instance(
        self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool = False
    ) -> None:
        """Boot an instance."""
        with self._locks.holding(instance.uuid):
            built = self._builder.build(ctxt, instance, image, has_volumes=has_volumes)
        if not built:
            self._reconciler.clear(ctxt, instance.uuid)

    def stop_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Power the guest off."""
        self._carry_out("stop", ctxt, instance)

    def start_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Power the guest on."""
        self._carry_out("start", ctxt, instance)

    def reboot_instance(self, ctxt: RequestContext, instance: Instance, reboot_type: str = "SOFT") -> None:
        """Reboot the guest."""
        self._carry_out("hard_reboot" if reboot_type == "HARD" else "reboot", ctxt, instance)

    def pause_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Halt the guest."""
        self._carry_out("pause", ctxt, instance)

    def unpause_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Let the halted guest run on."""
        self._carry_out("unpause", ctxt, instance)

    def suspend_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Save the guest's memory and stop it."""
        self._carry_out("suspend", ctxt, instance)

    def resume_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the suspended guest run on from its saved memory."""
        self._carry_out("resume", ctxt, instance)

    def rescue_instance(self, ctxt: RequestContext, instance: Instance, image: ImageMeta) -> None:
        """Start the guest from an image that its owner repairs it with."""
        self._carry_out("rescue", ctxt, instance, Arguments(image=image))

    def unrescue_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Start the guest from its own disk again."""
        self._carry_out("unrescue", ctxt, instance)

    def rebuild_instance(
        self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool = False
    ) -> None:
        """Make the guest anew."""
        self._carry_out("rebuild", ctxt, instance, Arguments(image=image, has_volumes=has_volumes))

    def snapshot_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Make an image of the instance."""
        self._carry_out("snapshot", ctxt, instance)

    def backup_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Make an image of the instance that older ones may make way for."""
        self._carry_out("backup", ctxt, instance)

    def shelve_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop the guest and make an image of the instance."""
        self._carry_out("shelve", ctxt, instance)

    def shelve_offload_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Remove the guest of a shelved instance."""
        self._carry_out("shelve_offload", ctxt, instance)

    def unshelve_instance(
        self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool = False
    ) -> None:
        """Start the guest of a shelved instance, or make it of its image."""
        self._carry_out("unshelve", ctxt, instance, Arguments(image=image, has_volumes=has_volumes))

    def prep_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Look whether an instance can come here."""
        self._take_step(ctxt, migration)

    def resize_instance(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Stop the guest, and keep it."""
        self._take_step(ctxt, migration)

    def finish_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta) -> None:
        """Have the guest be here."""
        self._take_step(ctxt, migration, image)

    def confirm_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy the guest that was kept."""
        self._take_step(ctxt, migration)

    def revert_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy the guest, which goes back."""
        self._take_step(ctxt, migration)

    def finish_revert_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Start the guest that was kept."""
        self._take_step(ctxt, migration)

    def pre_live_migration(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Make ready for a guest that comes while it runs."""
        self._take_step(ctxt, migration)

    def live_migration(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Send the guest to its new host while it runs."""
        self._take_step(ctxt, migration)

    def post_live_migration_at_destination(
        self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta
    ) -> None:
        """Have the guest run on here."""
        self._take_step(ctxt, migration, image)

    def evacuate_instance(
        self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta
    ) -> None:
        """Make the guest anew that was on a host which failed."""
        self._take_step(ctxt, migration, image)

    def live_migration_abort(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop sending the guest, unless that is for another migration by now."""
        self._cut_short(
            ctxt, instance, "live.migration.abort", self.driver.live_migration_abort,
            still=lambda now: now.task_state != states.MIGRATING,
        )  # fmt: skip

    def live_migration_force_complete(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the guest be sent at once, if it is the same migration still."""
        self._cut_short(
            ctxt, instance, "live.migration.force.complete", self.driver.live_migration_force_complete,
            still=lambda now: now.generation == instance.generation,
        )  # fmt: skip

    def clear_instance(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy what guest there is of an instance that has left, or that was to come while it ran and did not."""
        rolls_back = (migration.migration_type, migration.dest_compute) == ("live-migration", self.host)
        action: Action | None = "live_migration.rollback.dest" if rolls_back else None
        tell(self._notifier, ctxt, instance, action, "start")
        self._reconciler.clear(ctxt, instance.uuid)
        tell(self._notifier, ctxt, instance, action, "end")

    def attach_interface(self, ctxt: RequestContext, instance: Instance, mac_address: str) -> None:
        """Give the guest a network interface."""
        with self._locks.holding(instance.uuid):
            self._interfaces.attach(ctxt, instance, mac_address)

    def detach_interface(self, ctxt: RequestContext, instance: Instance, port_id: str, mac_address: str) -> None:
        """Take a network interface from the guest."""
        with self._locks.holding(instance.uuid):
            self._interfaces.detach(ctxt, instance, port_id, mac_address)

    def set_admin_password(self, ctxt: RequestContext, instance: Instance) -> None:
        """Set the password of the guest's administrator."""
        self._carry_out("change_password", ctxt, instance)

    def soft_delete_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop the guest, and keep it until it is restored or deleted."""
        self._carry_out("soft_delete", ctxt, instance)

    def restore_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Start the soft-deleted guest again."""
        self._carry_out("restore", ctxt, instance)

    def delete_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Destroy the guest and have the conductor end the delete.

        It takes no lock: destroying interrupts what the hypervisor does for the instance, and the compare-and-swap
        stops the operation that asked for that.
        """
        tell_exists_so_far(self._notifier, ctxt, instance, self._audit_period, self._clock())
        self._tell(ctxt, instance, "delete", "start")
        self._tell(ctxt, instance, "shutdown", "start")
        try:
            self.driver.destroy(instance.uuid)
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._delete_failed(ctxt, instance, error)
        self._plugging.deleted(instance.uuid)
        self._tell(ctxt, instance, "shutdown", "end")
        now = self._clock()
        try:
            self._conductor.destroy_instance(ctxt, instance, terminated_at=now)
        except (errors.InstanceUpdateConflict, errors.InstanceNotFound) as error:  # an old message
            return LOG.warning("compute drops the delete of %s, which moved or is gone: %s", instance.uuid, error)
        LOG.info("compute has deleted instance %s", instance.uuid)
        gone = instance.replace(vm_state=states.DELETED, task_state=None, terminated_at=now, addresses=())
        return self._tell(ctxt, gone, "delete", "end")

    def external_instance_event(
        self, ctxt: RequestContext, instance: Instance, name: str, tag: str | None, status: str
    ) -> None:
        """Have a boot go on that waits for this; it has the instance's lock."""
        self._plugging.came(instance.uuid, name, tag, status)

    def attach_volume(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Give the guest a volume."""
        with self._locks.holding(instance.uuid):
            self._volumes.attach(ctxt, instance, device)

    def detach_volume(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Take a volume away from the guest."""
        with self._locks.holding(instance.uuid):
            self._volumes.detach(ctxt, instance, device)

    def volume_snapshot_create(
        self, ctxt: RequestContext, instance: Instance, volume_id: str, snapshot_id: str
    ) -> None:
        """Make a snapshot of a volume."""
        with self._locks.holding(instance.uuid):
            self._volumes.make_snapshot(instance, volume_id, snapshot_id)

    def volume_snapshot_delete(
        self, ctxt: RequestContext, instance: Instance, volume_id: str, snapshot_id: str
    ) -> None:
        """Delete a snapshot of a volume."""
        with self._locks.holding(instance.uuid):
            self._volumes.delete_snapshot(instance, volume_id, snapshot_id)

    def get_console_output(self, ctxt: RequestContext, instance: Instance, length: int | None = None) -> str:
        """Read the console, or the last ``length`` lines of it."""
        output = self.driver.get_console_output(instance)
        if length is None:
            return output
        return "\n".join(output.split("\n")[-length:]) if length > 0 else ""

    def get_remote_console(self, ctxt: RequestContext, instance: Instance, protocol: str, console_type: str) -> Console:
        """Say where the console can be reached."""
        return self.driver.get_console(instance, protocol, console_type)

    def get_diagnostics(self, ctxt: RequestContext, instance: Instance) -> dict[str, Any]:
        """Read the guest's counters."""
        return self.driver.get_diagnostics(instance)

    def trigger_crash_dump(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the guest dump its memory."""
        self.driver.trigger_crash_dump(instance)

    def get_host_uptime(self, ctxt: RequestContext) -> str:
        """Say how long the host has been running."""
        return self.driver.get_host_uptime()

    def cache_images(self, ctxt: RequestContext, aggregate: str, image_ids: list[str]) -> None:
        """Have images on the host, and tell of which it has one now, and of which not."""
        failed = []
        for image_id in image_ids:
            try:
                is_new = self.driver.cache_image(image_id)
            except (errors.NotSupported, errors.HypervisorFailed) as error:
                LOG.warning("compute cannot cache image %s: %s", image_id, error)
                failed.append(image_id)
            else:
                LOG.info("compute %s image %s", "has cached" if is_new else "had cached before", image_id)
        cached = [image_id for image_id in image_ids if image_id not in failed]
        tell_cached_images(self._notifier, ctxt, aggregate, self.host, cached, failed)

    def list_guests(self, ctxt: RequestContext) -> list[str]:
        """Name the instance of each guest."""
        return self.driver.list_instance_uuids()

    def reconcile(self, ctxt: RequestContext | None = None) -> None:
        """Make guests and instances agree; first before the first message is taken."""
        self._reconciler.reconcile(ctxt or service_context())

    # ---- every now and then

    def report(self) -> bool:
        """Send a heartbeat with the host's capacity; the first one registers the host.

        :return: whether the host had been silent for so long that others believed it to be down
        """
        service = Service(
            binary=BINARY,
            host=self.host,
            topic=ComputeAPI.topic,
            availability_zone=self._availability_zone,
            versions=spoken(ComputeAPI),
        )
        node = self.driver.get_available_resource()
        if self._counts_failed_builds:
            node = node.replace(failed_builds=self._builder.failed_builds)
        sent_at = self._clock()
        self._conductor.report_state(service_context(), service, node)
        since, self._reported_at = self._reported_at or sent_at, sent_at
        if silent := (self._clock() - since > self._down_after):
            LOG.warning("compute was silent since %s, and may have been taken for dead", since)
        return silent

    # ---- small parts

    def _carry_out(
        self, operation: str, ctxt: RequestContext, instance: Instance, asked: Arguments = NO_ARGUMENTS
    ) -> None:
        flow = self._flows.get(operation, self._in_place)
        with self._locks.holding(instance.uuid):
            flow.carry_out(ctxt, instance, operation, asked)

    def _take_step(self, ctxt: RequestContext, migration: Migration, image: ImageMeta = NO_IMAGE) -> None:
        with self._locks.holding(migration.instance_uuid):
            taken = self._mover.take(ctxt, migration, image)
        if not taken:
            self._reconciler.clear(ctxt, migration.instance_uuid)

    def _cut_short(
        self,
        ctxt: RequestContext,
        instance: Instance,
        action: Action,
        do: Callable[[Instance], None],
        *,
        still: Callable[[Instance], bool],
    ) -> None:
        """Do something about a live migration, and tell of it; what sends the guest has the instance's lock.

        :param still: tells by the instance as it is now whether that is wanted yet
        """
        try:
            if not still(self._conductor.get_instance(ctxt, instance.uuid)):
                return LOG.info("compute drops an old %s: instance %s has moved on", action, instance.uuid)
        except errors.InstanceNotFound as gone:
            return LOG.info("compute drops an old %s: %s", action, gone)
        self._tell(ctxt, instance, action, "start")
        do(instance)
        return self._tell(ctxt, instance, action, "end")

    def _delete_failed(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        LOG.error("compute could not destroy the guest of instance %s: %s", instance.uuid, error)
        try:
            instance = self._conductor.fail_instance(ctxt, instance, "delete", fault_of(error))
        except (errors.InstanceUpdateConflict, errors.InstanceNotFound) as other:
            LOG.info("compute drops the fault of instance %s, whose delete has ended: %s", instance.uuid, other)
        self._tell(ctxt, instance, "delete", "error", message=str(error))

    def _tell(self, ctxt: RequestContext, instance: Instance, action: Action, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, action, phase, **extra)
