"""The contract between compute and a hypervisor (nova: virt/driver.py).

The compute manager calls a driver; a driver knows nothing of messages, of conductors or of task states.  One
driver serves one host, and is called from several threads at once.

Two promises hold for every method that changes something.  *Again is harmless*: a message may be delivered
twice, so doing a thing a second time does nothing.  *Destroy wins*: once ``destroy`` was called, every other
operation on the guest ends soon, with GuestGone.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from oslo_config import cfg

from mininova import errors
from mininova.objects import BlockDevice, ComputeNode, Console, ImageMeta, Instance


class ComputeDriver(ABC):
    """Run guests on one host."""

    @classmethod
    @abstractmethod
    def for_hosts(cls, conf: cfg.ConfigOpts, hosts: Sequence[str]) -> list[Self]:
        """Make a driver for each host that a process stands for, in their order.

        :raises errors.ConfigError: when the configuration cannot be worked with
        """

    @abstractmethod
    def spawn(self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = ()) -> None:
        """Make the guest of an instance and start it.  A guest that is there already is left as it is.

        After a failure there may be something left of it; ``destroy`` removes that.

        :param devices: the volumes that it has from the start; it boots from one that has the root device's name
        :raises errors.SpawnFailed: when the hypervisor could not
        :raises errors.GuestGone: when it was destroyed meanwhile; then nothing is left
        """

    @abstractmethod
    def destroy(self, uuid: str) -> None:
        """Stop the guest of an instance and remove every trace of it.  No guest is no failure.

        It takes a uuid, because a guest may be found whose instance is unknown.  After a failure the guest may
        still run; call it again.

        :raises errors.HypervisorFailed: when the hypervisor could not
        """

    @abstractmethod
    def reboot(self, instance: Instance, reboot_type: str) -> None:
        """Start the guest anew; it runs afterwards even if it did not before.  After a failure it may not run.

        :param reboot_type: ``SOFT`` asks the guest, ``HARD`` cuts its power
        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def power_on(self, instance: Instance) -> None:
        """Start a guest that does not run.  After a failure it is as it was.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def power_off(self, instance: Instance) -> None:
        """Stop a guest and keep it.  After a failure it is as it was.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def pause(self, instance: Instance) -> None:
        """Halt a running guest, with its memory where it is.  After a failure it is as it was.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def unpause(self, instance: Instance) -> None:
        """Let a halted guest run on.  After a failure it is as it was.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def suspend(self, instance: Instance) -> None:
        """Save a running guest's memory and stop it; what is saved outlives a loss of power.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def resume(self, instance: Instance) -> None:
        """Have a suspended guest run on.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def rescue(self, instance: Instance, image: ImageMeta) -> None:
        """Start a guest from an image, with its own disk beside that; one that is rescued already is left as it is.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def unrescue(self, instance: Instance) -> None:
        """Start a rescued guest from its own disk; one that is not rescued is left as it is.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def rebuild(self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = ()) -> None:
        """Make the guest of an instance anew and start it, whether there was one or not; its old disk is lost.

        :param devices: the volumes that it has, as for ``spawn``
        :raises errors.GuestGone: when it was destroyed meanwhile; then nothing is left
        """

    @abstractmethod
    def snapshot(self, instance: Instance) -> str:
        """Give what an image of the guest's disk is to contain; the guest goes on.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def check_can_migrate(self, instance: Instance) -> None:
        """Look whether the host can take a guest that runs on another one; nothing changes."""

    @abstractmethod
    def migrate_disk_and_power_off(self, instance: Instance) -> None:
        """Stop a guest that goes to another host, and keep it until that is confirmed.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def finish_migration(
        self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = (), *, power_on: bool
    ) -> None:
        """Have the guest that comes from another host be here, as big as its flavor says.

        :param image: that it was made of
        :param devices: the volumes that it has, as for ``spawn``
        :param power_on: whether to start it
        :raises errors.GuestGone: when it was destroyed meanwhile; then nothing is left
        """

    @abstractmethod
    def confirm_migration(self, instance: Instance) -> None:
        """Destroy what was kept of a guest that is on another host now.  Doing it twice is doing it once."""

    @abstractmethod
    def finish_revert_migration(self, instance: Instance, *, power_on: bool) -> None:
        """Have the guest that was kept be as it was before it went to another host.

        :param power_on: whether to start it
        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def pre_live_migration(self, instance: Instance) -> None:
        """Make ready for a guest that runs on another host and comes here."""

    @abstractmethod
    def live_migration(self, instance: Instance) -> None:
        """Send a guest that runs to another host.  After a failure it runs here as before; else ``destroy`` follows.

        :raises errors.GuestNotFound: when there is none
        :raises errors.GuestGone: when it was destroyed meanwhile
        :raises errors.MigrationAborted: when that was aborted meanwhile
        """

    @abstractmethod
    def live_migration_abort(self, instance: Instance) -> None:
        """Have ``live_migration`` end soon, and the guest run here as before; no migration is no failure."""

    @abstractmethod
    def live_migration_force_complete(self, instance: Instance) -> None:
        """Have ``live_migration`` end soon and well, at the guest's cost; no migration is no failure."""

    @abstractmethod
    def post_live_migration_at_destination(
        self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = (), *, paused: bool
    ) -> None:
        """Have a guest that was sent here run on, without a start.

        :param image: that it was made of
        :param devices: the volumes that it has, as for ``spawn``
        :param paused: whether it is halted, as it was on the other host
        :raises errors.GuestGone: when it was destroyed meanwhile; then nothing is left
        """

    @abstractmethod
    def attach_interface(self, instance: Instance, mac_address: str) -> None:
        """Give a guest, whether it runs or not, a network interface more.

        :param mac_address: of one that the instance has
        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def detach_interface(self, instance: Instance, mac_address: str) -> None:
        """Take a network interface from a guest; one that it has not is no failure.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def trigger_crash_dump(self, instance: Instance) -> None:
        """Interrupt a guest so that its kernel writes a dump of itself; a fake one goes on.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def set_admin_password(self, instance: Instance) -> None:
        """Give the guest's administrator another password.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def attach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Give a guest a volume; doing it twice is doing it once.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def detach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Take a volume away from a guest; one that the guest does not have is none to take away."""

    @abstractmethod
    def volume_snapshot_create(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Make a snapshot of a volume that a guest has open, and tell the volume service how that went.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def volume_snapshot_delete(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Delete a snapshot of a volume that a guest has open, likewise.

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def get_info(self, instance: Instance) -> int:
        """Tell the guest's power state (states.RUNNING and its kin).

        :raises errors.GuestNotFound: when there is none
        """

    @abstractmethod
    def list_instance_uuids(self) -> list[str]:
        """Name the instance of each guest there is, running or not."""

    @abstractmethod
    def get_console_output(self, instance: Instance) -> str:
        """Read the whole console, its lines joined by newlines, with none after the last.

        :raises errors.GuestNotFound: when there is none
        """

    def get_console(self, instance: Instance, protocol: str, console_type: str) -> Console:
        """Have a proxy be able to connect to the console, and say how.

        :param protocol: ``vnc``, ``serial`` …
        :param console_type: which kind of client it is for, as ``novnc``
        :raises errors.ConsoleTypeUnavailable: when the hypervisor offers no such console
        :raises errors.ConsoleTypeInvalid: when the protocol has no such type
        :raises errors.GuestNotFound: when there is none
        """
        raise errors.ConsoleTypeUnavailable(console_type=console_type)

    @abstractmethod
    def get_diagnostics(self, instance: Instance) -> dict[str, Any]:
        """Read the guest's counters.

        The keys are those of Nova's microversion 2.48 (``state``, ``driver``, ``cpu_details``, ``nic_details`` …)
        and two lists, ``disk_names`` and ``nic_names``, which only the older, flat shape of the REST API needs:
        it names each counter after its device, as in ``vda_read``.  Times are nanoseconds for a CPU and seconds
        for ``uptime``; memory is MiB.

        :raises errors.GuestNotFound: when there is none
        """

    def get_host_uptime(self) -> str:
        """Say how long the host has been running, in the words of uptime(1).

        :raises errors.NotSupported: when the hypervisor does not know
        """
        raise errors.NotSupported()

    def cache_image(self, image_id: str) -> bool:
        """Have an image on the host, and tell whether it was not there yet.

        :raises errors.NotSupported: when the hypervisor keeps no images
        :raises errors.HypervisorFailed: when it could not
        """
        raise errors.NotSupported()

    @abstractmethod
    def get_available_resource(self) -> ComputeNode:
        """Tell what the host has, and what its guests take of it."""
