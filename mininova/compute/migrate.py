"""The steps of a migration, each as the host sees it whose step it is: one flow, and a table of what differs.

The compute manager calls ``Mover.take`` for each step that the conductor sends (conductor/steps.py has their order).  A
host first asks whether the step is due still.  So a message that is delivered twice, or late, does not touch a guest.
No host speaks to the other: the conductor hears that the step is done, and sends the next one.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mininova import errors, states
from mininova.compute.in_place import Disks
from mininova.compute.outcomes import DELETE_WON
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.audit_period import AuditPeriod
from mininova.notifications.events import Action, Phase, tell, tell_exists_so_far
from mininova.objects import ImageMeta, Instance, Migration
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

NO_IMAGE = ImageMeta(id="")

Do = Callable[[ComputeDriver, Instance, Migration, Disks], None]


def _prep(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.check_can_migrate(instance)


def _migrate(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.migrate_disk_and_power_off(instance)


def _finish(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.finish_migration(instance, disks.image, disks.devices, power_on=instance.vm_state != states.STOPPED)


def _confirm(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    if not _stays(migration):
        driver.confirm_migration(instance)


def _revert(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    if _stays(migration):
        driver.power_off(instance)
    else:
        driver.destroy(instance.uuid)


def _finish_revert(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.finish_revert_migration(instance, power_on=migration.old_vm_state != states.STOPPED)


def _pre_live(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.pre_live_migration(instance)


def _live(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.live_migration(instance)


def _post_live(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    paused = instance.vm_state == states.PAUSED
    driver.post_live_migration_at_destination(instance, disks.image, disks.devices, paused=paused)


def _evacuate(driver: ComputeDriver, instance: Instance, migration: Migration, disks: Disks) -> None:
    driver.rebuild(instance, disks.image, disks.devices)
    if migration.old_vm_state == states.STOPPED:
        driver.power_off(instance)


def _stays(migration: Migration) -> bool:
    return migration.source_compute == migration.dest_compute


@dataclass(frozen=True)
class Part:
    """What a host does in one step.

    :param do: asks the driver for it
    :param action: the name of its events
    :param phases: those of them that Nova has
    :param after: whether they are about what follows when the driver has done it
    :param rollback: the name of the events of its failure, if that has any
    :param named: whether they name the image
    :param bills: whether the usage so far is published before: the instance is another one afterwards
    """

    do: Do
    action: Action
    phases: tuple[Phase, ...] = ("start", "end")
    after: bool = False
    rollback: Action | None = None
    named: bool = False
    bills: bool = False


PARTS: Mapping[str, Part] = {
    "prep": Part(_prep, "resize.prep", bills=True),
    "migrate": Part(_migrate, "resize"),
    "finish": Part(_finish, "finish_resize"),
    "confirm": Part(_confirm, "resize.confirm"),
    "revert": Part(_revert, "resize.revert", ("start",)),
    "finish_revert": Part(_finish_revert, "resize.revert", ("end",)),
    "pre_live": Part(_pre_live, "live_migration.pre"),
    "live": Part(_live, "live_migration._post", after=True, rollback="live_migration._rollback"),
    "post_live": Part(_post_live, "live_migration.post.dest"),
    "evacuate": Part(_evacuate, "rebuild", named=True, bills=True),
}


class Mover:
    """Take the steps of one host.

    :param audit_period: the period of the usage that is published before an instance gets another size
    :param clock: tells the time
    """

    def __init__(
        self,
        driver: ComputeDriver,
        conductor: ConductorAPI,
        notifier: Notifier,
        audit_period: AuditPeriod,
        clock: Callable[[], datetime],
    ) -> None:
        self._driver, self._conductor, self._notifier = driver, conductor, notifier
        self._audit_period, self._clock = audit_period, clock

    def take(self, ctxt: RequestContext, migration: Migration, image: ImageMeta = NO_IMAGE) -> bool:
        """Do the step that a migration has here; False when it is not due, and a guest may be here that is not to be.

        :param image: that the instance is made of
        """
        try:
            return self._take(ctxt, migration, image)
        except (*DELETE_WON, errors.InstanceUpdateConflict) as lost:
            LOG.info("compute drops %s: %s", _named(migration), lost)
            return False

    def _take(self, ctxt: RequestContext, migration: Migration, image: ImageMeta) -> bool:
        instance, devices = self._conductor.begin_step(ctxt, migration)
        part = PARTS[migration.step or ""]
        if part.bills:
            tell_exists_so_far(self._notifier, ctxt, instance, self._audit_period, self._clock())
        if not part.after:
            self._tell(ctxt, instance, part, "start", image)
        try:
            part.do(self._driver, instance, migration, Disks(image, devices))
            power_state = self._power_state(instance)
        except errors.GuestGone:
            raise
        except Exception as error:  # a hypervisor may raise anything: the owner gets a fault
            return self._fail(ctxt, instance, migration, error)
        if part.after:
            self._tell(ctxt, instance, part, "start", image)
        self._conductor.end_step(ctxt, migration, power_state)
        LOG.info("compute has done %s", _named(migration))
        self._tell(ctxt, instance, part, "end", image)
        return True

    def _power_state(self, instance: Instance) -> int:
        try:
            return self._driver.get_info(instance)
        except errors.GuestNotFound:
            return states.NOSTATE

    def _fail(self, ctxt: RequestContext, instance: Instance, migration: Migration, error: Exception) -> bool:
        """Have the conductor end the migration; a guest that was to leave runs on as it did."""
        LOG.warning("compute could not do %s: %s", _named(migration), error)
        if migration.step == "migrate" and migration.old_vm_state != states.STOPPED:
            try:
                self._driver.power_on(instance)
            except Exception as second:  # likewise: what became of the guest is found out later
                LOG.error("compute cannot start instance %s again: %s", instance.uuid, second)
        rollback = PARTS[migration.step or ""].rollback
        tell(self._notifier, ctxt, instance, rollback, "start")
        try:
            self._conductor.fail_step(ctxt, migration, fault_of(error))
        finally:  # it is rolled back here even if it was aborted, and the conductor waits for no fault
            tell(self._notifier, ctxt, instance, rollback, "end")
        return True

    def _tell(self, ctxt: RequestContext, instance: Instance, part: Part, phase: Phase, image: ImageMeta) -> None:
        if phase in part.phases:
            named = {"image_name": image.name} if part.named else {}
            tell(self._notifier, ctxt, instance, part.action, phase, **named)


def _named(migration: Migration) -> str:
    """Name a step for the log, with the migration that it is of, and its way."""
    way = f"from {migration.source_compute} to {migration.dest_compute}"
    return f"step {migration.step} of the {migration.migration_type} of instance {migration.instance_uuid} {way}"
