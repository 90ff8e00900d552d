"""A hypervisor that runs nothing and behaves as if it did (nova: virt/fake.py).

The compute manager uses it through the driver contract.  What it does, how long that takes and how it fails is
drawn from a Behaviour; its guests are remembered by a GuestStore, and so outlive the process.

Every wait is a wait on an event that ``destroy`` sets, so that destroying a guest ends every operation on it.  The
lock is held while guests and their files change, and never while waiting.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

from oslo_config import cfg

from mininova import errors, states
from mininova.objects import BlockDevice, ComputeNode, Console, ImageMeta, Instance
from mininova.virt import console, diagnostics
from mininova.virt.behaviour import NO_GUEST, Behaviour, Failure, Target
from mininova.virt.consoles import Consoles, offers
from mininova.virt.driver import ComputeDriver
from mininova.virt.guests import Guest, GuestStore

CPU_INFO: dict[str, str | list[str]] = {
    "arch": "x86_64",
    "model": "Nehalem",
    "vendor": "Intel",
    "features": ["pge", "clflush"],
}
IMAGE_PROPERTIES = {"hw_architecture": ["x86_64"], "hypervisor_type": ["fake"], "vm_mode": ["hvm"]}
ABORTED, ARRIVED = "aborted", "arrived"  # why a guest is sent no more


def _now() -> float:
    return time.time()


class FakeDriver(ComputeDriver):
    """Keep guests that are only remembered.

    :param capacity: the machine it pretends to be
    :param clock: epoch seconds
    :param consoles: lets proxies see the guests' consoles; without it, none can
    """

    def __init__(
        self,
        capacity: ComputeNode,
        store: GuestStore,
        behaviour: Behaviour,
        clock: Callable[[], float] = _now,
        consoles: Consoles | None = None,
    ) -> None:
        self._consoles = consoles or Consoles({})
        self._host, self._capacity = capacity.host, capacity
        self._store, self._behaviour, self._clock = store, behaviour, clock
        self._started = clock()
        self._lock = threading.Lock()
        self._guests = store.load()
        self._under_way: dict[str, dict[threading.Event, str]] = {}
        self._cut_short: dict[str, str] = {}  # which guests are sent no more, and why
        self._images = set[str]()  # that are here, by their ids
        self._halted: Callable[[str], bool] = lambda uuid: False

    @classmethod
    def for_hosts(cls, conf: cfg.ConfigOpts, hosts: Sequence[str]) -> list[Self]:
        """Make the fake hypervisor of each host; they share one behaviour, and the ports of consoles.

        :raises errors.ConfigError: when the behaviour file is bad
        """
        behaviour, consoles = Behaviour(conf.fake.behaviour), Consoles(offers(conf))
        return [
            cls(machine(conf, host), GuestStore(conf.fake.state_dir, host), behaviour, consoles=consoles)
            for host in hosts
        ]

    def spawn(self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = ()) -> None:
        """Remember a guest."""
        with self._making("spawn", instance):
            if instance.uuid not in self._guests:
                self._keep(Guest.of(instance, image, self._clock(), devices))
                self._images |= {image.id} - {""}  # a volume boots without one

    def destroy(self, uuid: str) -> None:
        """Forget a guest, and end the operations that wait for it."""
        with self._lock:
            for destroyed, operation in self._under_way.get(uuid, {}).items():
                if operation != "destroy":
                    destroyed.set()
            guest = self._guests.get(uuid)
        target = Target(guest.name, guest.metadata, guest.memory_mb) if guest else NO_GUEST
        with self._in_any_case("destroy", uuid, target), self._lock:
            self._forget(uuid)

    def reboot(self, instance: Instance, reboot_type: str) -> None:
        """Start a guest once more; soft and hard differ in nothing here."""
        with self._doing("reboot", instance):
            self._change(instance.uuid, lambda guest: guest.started(self._clock()))

    def power_on(self, instance: Instance) -> None:
        """Start a guest, unless it runs."""
        with self._doing("power_on", instance):
            if self.get_info(instance) != states.RUNNING:
                self._change(instance.uuid, lambda guest: guest.started(self._clock()))

    def power_off(self, instance: Instance) -> None:
        """Stop a guest."""
        self._turn("power_off", instance, states.SHUTDOWN)

    def pause(self, instance: Instance) -> None:
        """Halt a guest."""
        self._turn("pause", instance, states.POWER_PAUSED)

    def unpause(self, instance: Instance) -> None:
        """Let a guest run on."""
        self._turn("unpause", instance, states.RUNNING)

    def suspend(self, instance: Instance) -> None:
        """Pretend to save a guest's memory."""
        self._turn("suspend", instance, states.POWER_SUSPENDED)

    def resume(self, instance: Instance) -> None:
        """Have a guest run on; it does not boot again."""
        self._turn("resume", instance, states.RUNNING)

    def rescue(self, instance: Instance, image: ImageMeta) -> None:
        """Start a guest from another image."""
        self._start("rescue", instance, rescue=image.name or image.id)

    def unrescue(self, instance: Instance) -> None:
        """Start a guest from its own disk again."""
        self._start("unrescue", instance, rescue=None)

    def rebuild(self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = ()) -> None:
        """Remember a fresh guest in the place of the one that there was, if any."""
        with self._making("rebuild", instance):
            self._keep(Guest.of(instance, image, self._clock(), devices))

    def snapshot(self, instance: Instance) -> str:
        """Say whose disk it would be: a guest that is only remembered has none."""
        with self._doing("snapshot", instance):
            guest = self._guest(instance.uuid)
        return (
            f"This is no disk.  It stands in for that of {guest.hostname} ({guest.uuid}), made of {guest.image}, "
            f"{guest.disk_gb} GiB.\n"
        )

    def check_can_migrate(self, instance: Instance) -> None:
        """Find nothing that would keep a guest from coming here."""
        with self._doing("check_can_migrate", instance):
            pass

    def migrate_disk_and_power_off(self, instance: Instance) -> None:
        """Stop a guest."""
        self._turn("migrate_disk_and_power_off", instance, states.SHUTDOWN)

    def finish_migration(
        self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = (), *, power_on: bool
    ) -> None:
        """Remember a guest that was on another host, or that has another size."""
        with self._making("finish_migration", instance):
            guest = Guest.of(instance, image, self._clock(), devices)
            self._keep(guest if power_on else guest.in_state(states.SHUTDOWN))

    def confirm_migration(self, instance: Instance) -> None:
        """Forget a guest."""
        with self._doing("confirm_migration", instance), self._lock:
            self._forget(instance.uuid)

    def finish_revert_migration(self, instance: Instance, *, power_on: bool) -> None:
        """Give a guest its old size, and start it, unless it was stopped before."""
        with self._doing("finish_revert_migration", instance):
            size = partial(Guest.sized, flavor=instance.flavor)
            at = self._clock()
            self._change(instance.uuid, lambda guest: size(guest).started(at) if power_on else size(guest))

    def pre_live_migration(self, instance: Instance) -> None:
        """Make nothing ready: a guest that is only remembered needs nothing."""
        with self._doing("pre_live_migration", instance):
            pass

    def live_migration(self, instance: Instance) -> None:
        """Take the time that it takes; the guest is remembered until it is destroyed."""
        try:
            with self._doing("live_migration", instance):
                self._guest(instance.uuid)
        except errors.GuestGone:
            why = self._cut_short.get(instance.uuid)
            if why is None or instance.uuid not in self._guests:
                raise
            if why == ABORTED:
                raise errors.MigrationAborted(instance_uuid=instance.uuid) from None
        finally:
            self._cut_short.pop(instance.uuid, None)

    def live_migration_abort(self, instance: Instance) -> None:
        """End the wait of a guest that is being sent."""
        self._cut_sending_short(instance, ABORTED)

    def live_migration_force_complete(self, instance: Instance) -> None:
        """End the wait of a guest that is being sent: it has arrived."""
        self._cut_sending_short(instance, ARRIVED)

    def post_live_migration_at_destination(
        self, instance: Instance, image: ImageMeta, devices: Sequence[BlockDevice] = (), *, paused: bool
    ) -> None:
        """Remember a guest that runs on another host, and was started there."""
        with self._making("post_live_migration_at_destination", instance):
            started = instance.launched_at.timestamp() if instance.launched_at else self._clock()
            guest = Guest.of(instance, image, started, devices)
            self._keep(guest.in_state(states.POWER_PAUSED) if paused else guest)

    def attach_interface(self, instance: Instance, mac_address: str) -> None:
        """Remember a network interface."""
        with self._doing("attach_interface", instance):
            self._change(instance.uuid, lambda guest: guest.with_nic(instance, mac_address))

    def detach_interface(self, instance: Instance, mac_address: str) -> None:
        """Forget a network interface."""
        with self._doing("detach_interface", instance):
            self._change(instance.uuid, lambda guest: guest.without_nic(mac_address))

    def trigger_crash_dump(self, instance: Instance) -> None:
        """Do nothing to a guest that is there: it has no kernel."""
        with self._doing("trigger_crash_dump", instance):
            self._guest(instance.uuid)

    def set_admin_password(self, instance: Instance) -> None:
        """Do nothing to a guest that is there: it has no accounts."""
        with self._doing("set_admin_password", instance):
            self._guest(instance.uuid)

    def attach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Do nothing to a guest that is there: its disks have no data."""
        with self._doing("attach_volume", instance):
            self._guest(instance.uuid)

    def detach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Do nothing: a disk without data is not missed."""
        with self._doing("detach_volume", instance):
            pass

    def volume_snapshot_create(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Do nothing to a guest that is there, nor tell the volume service, as Nova's fake driver."""
        with self._doing("volume_snapshot_create", instance):
            self._guest(instance.uuid)

    def volume_snapshot_delete(self, instance: Instance, volume_id: str, snapshot_id: str) -> None:
        """Do nothing, likewise."""
        with self._doing("volume_snapshot_delete", instance):
            self._guest(instance.uuid)

    def get_info(self, instance: Instance) -> int:
        """Tell the guest's power state."""
        return self._guest(instance.uuid).power_state

    def list_instance_uuids(self) -> list[str]:
        """Name the guests."""
        with self._lock:
            return list(self._guests)

    def get_console_output(self, instance: Instance) -> str:
        """Tell what the guest would have written."""
        with self._doing("get_console_output", instance):
            return console.text(self._guest(instance.uuid))

    def get_console(self, instance: Instance, protocol: str, console_type: str) -> Console:
        """Let a proxy see what the guest would have written."""
        with self._doing("get_console_output", instance):
            uuid = self._guest(instance.uuid).uuid
            read = lambda: console.text(self._guest(uuid))  # noqa: E731 - of the guest as it is when it is read
            return self._consoles.open((self._host, uuid), protocol, console_type, read)

    def get_diagnostics(self, instance: Instance) -> dict[str, Any]:
        """Make counters up."""
        with self._doing("get_diagnostics", instance):
            return diagnostics.read(self._guest(instance.uuid), self._clock())

    def get_host_uptime(self) -> str:
        """Count from the driver's start; no one is logged in to a host that is made up."""
        now = self._clock()
        hours, minutes = divmod(int(now - self._started) // 60, 60)
        moment = time.strftime("%H:%M:%S", time.gmtime(now))
        return (
            f" {moment} up {hours // 24} days, {hours % 24:2}:{minutes:02},  0 users,  load average: 0.00, 0.00, 0.00"
        )

    def cache_image(self, image_id: str) -> bool:
        """Remember an image, until the process ends."""
        with self._in_any_case("cache_image", image_id, NO_GUEST), self._lock:
            is_new = image_id not in self._images
            self._images.add(image_id)
            return is_new

    def get_available_resource(self) -> ComputeNode:
        """Tell the machine's size, and the sum of what its guests were given."""
        with self._lock:
            guests = list(self._guests.values())
        return self._capacity.replace(
            vcpus_used=sum(guest.vcpus for guest in guests),
            memory_mb_used=sum(guest.memory_mb for guest in guests),
            local_gb_used=sum(guest.disk_gb for guest in guests),
            running_vms=len(guests),
        )

    def lose_power(self) -> None:
        """Be off and on again: no guest runs any more, and each is still there, as is what was saved of one."""
        with self._lock:
            for guest in list(self._guests.values()):
                if guest.power_state != states.POWER_SUSPENDED:
                    self._keep(guest.in_state(states.SHUTDOWN))

    # ---- for the control of a cloud that is there for tests

    def guests(self) -> list[Guest]:
        """Give every guest."""
        with self._lock:
            return list(self._guests.values())

    def halt(self, which: Callable[[str], bool]) -> None:
        """End the operations on some guests, by their uuids, and each that begins, as if they were destroyed.

        What needs no guest, as to destroy one, is done at once.
        """
        with self._lock:
            self._halted = which
            for uuid, operations in self._under_way.items():
                for interrupted in operations if which(uuid) else ():
                    interrupted.set()

    def become(self, guests: Sequence[Guest]) -> None:
        """Have these guests and no others."""
        with self._lock:
            for uuid in self._guests:
                self._consoles.forget((self._host, uuid))
            self._store.replace(guests)
            self._guests = {guest.uuid: guest for guest in guests}

    def lose(self, uuids: Collection[str]) -> None:
        """Have some guests no more."""
        with self._lock:
            for uuid in self._guests.keys() & uuids:
                self._forget(uuid)

    def _cut_sending_short(self, instance: Instance, why: str) -> None:
        with self._lock:
            for interrupted, operation in self._under_way.get(instance.uuid, {}).items():
                if operation == "live_migration":
                    self._cut_short[instance.uuid] = why
                    interrupted.set()

    def _start(self, operation: str, instance: Instance, rescue: str | None) -> None:
        """Start a guest from a rescue image or from its own disk, unless it was."""
        with self._doing(operation, instance):
            if self._guest(instance.uuid).rescue != rescue:
                self._change(instance.uuid, lambda guest: guest.started(self._clock(), rescue))

    def _turn(self, operation: str, instance: Instance, power_state: int) -> None:
        with self._doing(operation, instance):
            self._change(instance.uuid, lambda guest: guest.in_state(power_state))

    @contextmanager
    def _doing(self, operation: str, instance: Instance) -> Iterator[threading.Event]:
        """Surround an operation that ends when the guest is destroyed; gives the event which says that it was."""
        target = Target(instance.display_name, instance.metadata, instance.flavor.memory_mb)
        with (
            self._interruptible(operation, instance.uuid) as destroyed,
            self._as_drawn(operation, instance.uuid, target, destroyed),
        ):
            yield destroyed

    @contextmanager
    def _in_any_case(self, operation: str, uuid: str, target: Target) -> Iterator[None]:
        """Surround an operation that needs no guest; where it is halted, it takes no time."""
        with (
            self._interruptible(operation, uuid) as halted,
            self._as_drawn(operation, uuid, target, halted, ends=False),
        ):
            yield

    @contextmanager
    def _interruptible(self, operation: str, uuid: str) -> Iterator[threading.Event]:
        """Surround an operation; gives the event which says that it is not to go on."""
        interrupted = threading.Event()
        with self._lock:
            self._under_way.setdefault(uuid, {})[interrupted] = operation
            if self._halted(uuid):
                interrupted.set()
        try:
            yield interrupted
        finally:
            with self._lock:
                del self._under_way[uuid][interrupted]
                if not self._under_way[uuid]:
                    del self._under_way[uuid]

    @contextmanager
    def _making(self, operation: str, instance: Instance) -> Iterator[None]:
        """Surround what makes a guest, with the lock held, unless the guest was destroyed meanwhile."""
        with self._doing(operation, instance) as destroyed, self._lock:
            if destroyed.is_set():
                raise errors.GuestGone(instance_uuid=instance.uuid)
            yield

    @contextmanager
    def _as_drawn(
        self, operation: str, uuid: str, target: Target, interrupted: threading.Event, *, ends: bool = True
    ) -> Iterator[None]:
        """Surround an operation with the delay and the failure that are drawn for it.

        :param ends: whether it ends when it is interrupted; else it only waits no more
        """
        outcome = self._behaviour.draw(self._host, operation, target)
        if interrupted.wait(outcome.delay) and ends:
            raise errors.GuestGone(instance_uuid=uuid)
        if outcome.failure and outcome.failure.kind == "error":
            raise self._failed(operation, uuid, outcome.failure)
        yield
        if outcome.failure and outcome.failure.kind == "halfway":
            raise self._failed(operation, uuid, outcome.failure)
        if outcome.failure and outcome.failure.kind == "crash" and uuid in self._guests:
            self._change(uuid, lambda guest: guest.in_state(states.CRASHED))
        if outcome.failure and outcome.failure.kind == "power_loss":
            self.lose_power()

    def _failed(self, operation: str, uuid: str, failure: Failure) -> errors.MininovaError:
        if operation == "spawn":
            return errors.SpawnFailed(instance_uuid=uuid, host=self._host, reason=failure.message)
        return errors.HypervisorFailed(operation=operation, instance_uuid=uuid, host=self._host, reason=failure.message)

    def _guest(self, uuid: str) -> Guest:
        try:
            return self._guests[uuid]
        except KeyError:
            raise errors.GuestNotFound(instance_uuid=uuid, host=self._host) from None

    def _change(self, uuid: str, change: Callable[[Guest], Guest]) -> None:
        with self._lock:
            self._keep(change(self._guest(uuid)))

    def _forget(self, uuid: str) -> None:
        """Have no guest any more.  The lock is held."""
        self._guests.pop(uuid, None)
        self._store.remove(uuid)
        self._consoles.forget((self._host, uuid))

    def _keep(self, guest: Guest) -> None:
        """Remember a guest, on disk first, so that what a caller was told is never lost.  The lock is held."""
        if guest != self._guests.get(guest.uuid):
            self._store.save(guest)
            self._guests[guest.uuid] = guest
            self._consoles.changed((self._host, guest.uuid))


def machine(conf: cfg.ConfigOpts, host: str) -> ComputeNode:
    """Give the machine that a host's fake hypervisor pretends to be, empty."""
    return ComputeNode(
        host=host,
        hypervisor_hostname=host,
        vcpus=conf.fake.vcpus,
        memory_mb=conf.fake.memory_mb,
        local_gb=conf.fake.local_gb,
        cpu_allocation_ratio=conf.compute.cpu_allocation_ratio,
        ram_allocation_ratio=conf.compute.ram_allocation_ratio,
        disk_allocation_ratio=conf.compute.disk_allocation_ratio,
        cpu_info=CPU_INFO,
        image_properties=IMAGE_PROPERTIES,
    )
