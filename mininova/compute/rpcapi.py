"""What can be asked of a compute node."""

from collections.abc import Callable, Mapping
from typing import Annotated

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import Arguments, BlockDevice, Console, ImageMeta, Instance, Migration

_CALLS = {"api", "conductor"}
_STEPS = {"conductor", "operator"}
_CASTS = {*_CALLS, "operator"}  # whose tool sends again what was parked


class ComputeAPI(rpc.Interface):
    """Build and run instances on one host: ``ComputeAPI(peer).on(host).build_instance(...)``."""

    topic, version = "compute", "1.1"

    @rpc.cast(since="1.0", by=_CASTS)
    def build_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        image: ImageMeta,
        has_volumes: Annotated[bool, rpc.since("1.1")] = False,
    ) -> None:
        """Spawn it here; report each step through the conductor.

        :param has_volumes: whether it boots with volumes, for which the conductor is to be asked
        """

    @rpc.cast(since="1.0", by=_CASTS)
    def delete_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Destroy the guest, even if another operation is under way, and have the conductor end the delete."""

    @rpc.cast(since="1.0", by=_CASTS)
    def stop_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Power the guest off."""

    @rpc.cast(since="1.0", by=_CASTS)
    def start_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Power the guest on."""

    @rpc.cast(since="1.0", by=_CASTS)
    def reboot_instance(self, ctxt: RequestContext, instance: Instance, reboot_type: str = "SOFT") -> None:
        """Reboot the guest.

        :param reboot_type: ``SOFT`` asks the guest, ``HARD`` cuts its power
        """

    @rpc.cast(since="1.1", by=_CASTS)
    def pause_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Halt the guest, with its memory where it is."""

    @rpc.cast(since="1.1", by=_CASTS)
    def unpause_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Let the halted guest run on."""

    @rpc.cast(since="1.1", by=_CASTS)
    def suspend_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Save the guest's memory on the host's disk, and stop it."""

    @rpc.cast(since="1.1", by=_CASTS)
    def resume_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the suspended guest run on from its saved memory."""

    @rpc.cast(since="1.1", by=_CASTS)
    def rescue_instance(self, ctxt: RequestContext, instance: Instance, image: ImageMeta) -> None:
        """Start the guest from an image, with its own disk beside that."""

    @rpc.cast(since="1.1", by=_CASTS)
    def unrescue_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Start the guest from its own disk again."""

    @rpc.cast(since="1.1", by=_CASTS)
    def rebuild_instance(
        self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool = False
    ) -> None:
        """Make the guest anew from an image, in the place of the one that it was.

        :param has_volumes: whether it has volumes, for which the conductor is to be asked
        """

    @rpc.cast(since="1.1", by=_CASTS)
    def snapshot_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Take the guest's disk, for the image that was asked for."""

    @rpc.cast(since="1.1", by=_CASTS)
    def backup_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Take the guest's disk, for an image that older backups may make way for."""

    @rpc.cast(since="1.1", by=_CASTS)
    def shelve_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop the guest, and take its disk, so that it can be made again elsewhere."""

    @rpc.cast(since="1.1", by=_CASTS)
    def shelve_offload_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Remove the guest of a shelved instance, which leaves the host."""

    @rpc.cast(since="1.1", by=_CASTS)
    def unshelve_instance(
        self, ctxt: RequestContext, instance: Instance, image: ImageMeta, has_volumes: bool = False
    ) -> None:
        """Start the guest of a shelved instance; one that is not here is made of the image first.

        :param has_volumes: whether it has volumes, for which the conductor is to be asked
        """

    @rpc.cast(since="1.1", by=_STEPS)
    def prep_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Look whether an instance can come here; as in each step of a migration, tell the conductor how it went."""

    @rpc.cast(since="1.1", by=_STEPS)
    def resize_instance(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Stop the guest, which goes to another host, and keep it."""

    @rpc.cast(since="1.1", by=_STEPS)
    def finish_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta) -> None:
        """Have the guest be here, with its new flavor."""

    @rpc.cast(since="1.1", by=_STEPS)
    def confirm_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy the guest that was kept here."""

    @rpc.cast(since="1.1", by=_STEPS)
    def revert_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy the guest, which goes back to where it came from."""

    @rpc.cast(since="1.1", by=_STEPS)
    def finish_revert_resize(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Start the guest that was kept here, with its old flavor."""

    @rpc.cast(since="1.1", by=_STEPS)
    def pre_live_migration(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Make ready for a guest that comes from another host while it runs."""

    @rpc.cast(since="1.1", by=_STEPS)
    def live_migration(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Send the guest to another host while it runs."""

    @rpc.cast(since="1.1", by=_STEPS)
    def post_live_migration_at_destination(
        self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta
    ) -> None:
        """Have the guest run on here, which has come from another host."""

    @rpc.cast(since="1.1", by=_STEPS)
    def evacuate_instance(
        self, ctxt: RequestContext, instance: Instance, migration: Migration, image: ImageMeta
    ) -> None:
        """Make the guest anew here, from its image: the host that it was on has failed."""

    @rpc.cast(since="1.1", by=_CASTS)
    def live_migration_abort(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop sending the guest to another host: its live migration was cancelled."""

    @rpc.cast(since="1.1", by=_CASTS)
    def live_migration_force_complete(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the guest arrive at its new host at once, unless the instance has moved on since."""

    @rpc.cast(since="1.1", by=_CASTS)
    def clear_instance(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Destroy what guest there is of an instance that has left this host, if it has, or did not come.

        :param migration: which has ended
        """

    @rpc.call(since="1.1", by=_CALLS, idempotent=True)
    def trigger_crash_dump(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the guest's kernel write a dump of itself, as a real one does when it is interrupted so.

        :raises errors.GuestNotFound: when no guest runs here
        """

    @rpc.call(since="1.1", by=_CALLS, idempotent=True)
    def attach_interface(self, ctxt: RequestContext, instance: Instance, mac_address: str) -> None:
        """Give the guest a network interface that its instance has.

        :raises errors.InterfaceAttachFailed: when the hypervisor could not
        """

    @rpc.cast(since="1.1", by=_CASTS)
    def detach_interface(self, ctxt: RequestContext, instance: Instance, port_id: str, mac_address: str) -> None:
        """Take a network interface from the guest, and have the conductor end that of its instance."""

    @rpc.cast(since="1.1", by=_CASTS)
    def set_admin_password(self, ctxt: RequestContext, instance: Instance) -> None:
        """Set the password of the guest's administrator; no password travels, for a fake guest has no accounts."""

    @rpc.cast(since="1.1", by=_CASTS)
    def soft_delete_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop the guest, and keep it until it is restored or deleted."""

    @rpc.cast(since="1.1", by=_CASTS)
    def restore_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Start the soft-deleted guest again."""

    @rpc.cast(since="1.1", by={"api"})
    def external_instance_event(
        self, ctxt: RequestContext, instance: Instance, name: str, tag: str | None, status: str
    ) -> None:
        """Hear what another service tells of the instance.

        :param name: what happened: ``network-vif-plugged``
        :param tag: to which of its parts: the id of a port
        :param status: ``completed`` or ``failed``
        """

    @rpc.cast(since="1.1", by=_CASTS)
    def attach_volume(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Give the guest a volume, and tell the conductor how it went."""

    @rpc.cast(since="1.1", by=_CASTS)
    def detach_volume(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """Take a volume away from the guest, and tell the conductor how it went."""

    @rpc.cast(since="1.1", by=_CASTS)
    def volume_snapshot_create(
        self, ctxt: RequestContext, instance: Instance, volume_id: str, snapshot_id: str
    ) -> None:
        """Make a snapshot of a volume that the guest has open."""

    @rpc.cast(since="1.1", by=_CASTS)
    def volume_snapshot_delete(
        self, ctxt: RequestContext, instance: Instance, volume_id: str, snapshot_id: str
    ) -> None:
        """Delete a snapshot of a volume that the guest has open."""

    @rpc.call(since="1.0", by=_CALLS, idempotent=True)
    def get_console_output(self, ctxt: RequestContext, instance: Instance, length: int | None = None) -> str:
        """Read the console.

        :param length: how many lines of its tail; None means all
        :raises errors.GuestNotFound: when no guest runs here
        """

    @rpc.call(since="1.1", by={"api"}, idempotent=True)
    def get_remote_console(self, ctxt: RequestContext, instance: Instance, protocol: str, console_type: str) -> Console:
        """Say where the guest's console can be reached.  No token travels: the api makes it, and keeps its hash.

        :param protocol: ``vnc``, ``serial`` …
        :param console_type: which kind of client it is for, as ``novnc``
        :raises errors.ConsoleTypeUnavailable: when the host offers no such console
        :raises errors.ConsoleTypeInvalid: when the protocol has no such type
        :raises errors.GuestNotFound: when no guest runs here
        """

    @rpc.call(since="1.0", by=_CALLS, idempotent=True)
    def get_diagnostics(self, ctxt: RequestContext, instance: Instance) -> dict[str, object]:
        """Read the guest's counters, in the words of the driver contract.

        :raises errors.GuestNotFound: when no guest runs here
        """

    @rpc.call(since="1.1", by=_CALLS, idempotent=True)
    def get_host_uptime(self, ctxt: RequestContext) -> str:
        """Say how long the host has been running, in the words of uptime(1).

        :raises errors.NotSupported: when its hypervisor does not know
        """

    @rpc.cast(since="1.1", by={"api"})
    def cache_images(self, ctxt: RequestContext, aggregate: str, image_ids: list[str]) -> None:
        """Have images on the host before the first guest is made of them.

        :param aggregate: the name of the host aggregate that this was asked for
        """

    @rpc.call(since="1.1", by={"operator"}, idempotent=True)
    def list_guests(self, ctxt: RequestContext) -> list[str]:
        """Name the instance of each guest there is on the host, running or not."""

    @rpc.call(since="1.1", by={"operator"}, idempotent=True)
    def reconcile(self, ctxt: RequestContext) -> None:
        """Make the guests of the host and its instances agree now, as the host does by itself every now and then."""


Command = Callable[[ComputeAPI, RequestContext, Instance, Arguments], None]

# The cast by which a host is asked for each operation of states.OPERATIONS, but for a build, which brings its
# image, and for those of states.MIGRATIONS, which are done step by step (conductor/steps.py).
COMMANDS: Mapping[str, Command] = {
    "stop": lambda compute, ctxt, instance, _: compute.stop_instance(ctxt, instance),
    "start": lambda compute, ctxt, instance, _: compute.start_instance(ctxt, instance),
    "reboot": lambda compute, ctxt, instance, _: compute.reboot_instance(ctxt, instance, "SOFT"),
    "hard_reboot": lambda compute, ctxt, instance, _: compute.reboot_instance(ctxt, instance, "HARD"),
    "pause": lambda compute, ctxt, instance, _: compute.pause_instance(ctxt, instance),
    "unpause": lambda compute, ctxt, instance, _: compute.unpause_instance(ctxt, instance),
    "suspend": lambda compute, ctxt, instance, _: compute.suspend_instance(ctxt, instance),
    "resume": lambda compute, ctxt, instance, _: compute.resume_instance(ctxt, instance),
    "rescue": lambda compute, ctxt, instance, asked: compute.rescue_instance(ctxt, instance, asked.image),
    "unrescue": lambda compute, ctxt, instance, _: compute.unrescue_instance(ctxt, instance),
    "rebuild": lambda compute, ctxt, instance, asked: compute.rebuild_instance(
        ctxt, instance, asked.image, asked.has_volumes
    ),
    "change_password": lambda compute, ctxt, instance, _: compute.set_admin_password(ctxt, instance),
    "snapshot": lambda compute, ctxt, instance, _: compute.snapshot_instance(ctxt, instance),
    "backup": lambda compute, ctxt, instance, _: compute.backup_instance(ctxt, instance),
    "shelve": lambda compute, ctxt, instance, _: compute.shelve_instance(ctxt, instance),
    "shelve_offload": lambda compute, ctxt, instance, _: compute.shelve_offload_instance(ctxt, instance),
    "unshelve": lambda compute, ctxt, instance, asked: compute.unshelve_instance(
        ctxt, instance, asked.image, asked.has_volumes
    ),
    "soft_delete": lambda compute, ctxt, instance, _: compute.soft_delete_instance(ctxt, instance),
    "restore": lambda compute, ctxt, instance, _: compute.restore_instance(ctxt, instance),
    "delete": lambda compute, ctxt, instance, _: compute.delete_instance(ctxt, instance),
}
