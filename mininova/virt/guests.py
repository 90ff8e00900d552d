"""The guests of one fake host, and the files that remember them.

The fake driver keeps its guests in memory and writes each change through to one small file a guest, so that a
boot costs one file however many guests there are.  A file is put in place by renaming: a process that is
killed leaves the old one or the new one, never half of one.  All guests of a host can be replaced at once, which
takes one file; a file of one of them then says what has become of it since, or null when it is gone.  Nothing is
forced to the disk, so a machine that loses its power may lose guests, as a real one would.
"""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from mininova import states
from mininova.objects import BlockDevice, FixedIP, Flavor, ImageMeta, Instance

LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that the fake hypervisor runs.

    :param name: of its instance, when it was made; likewise ``metadata``
    :param nics: the addresses it was given, one network interface each
    :param boots: when it was started, as epoch seconds: the first time, and the latest few
    :param rescue: the image that it was started from to be repaired; None when it runs from its own disk
    """

    uuid: str
    hostname: str
    flavor: str
    image: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    disks: tuple[str, ...]
    nics: tuple[FixedIP, ...] = ()
    config_drive: bool = False
    power_state: int = states.RUNNING
    boots: tuple[float, ...] = ()
    rescue: str | None = None
    name: str = ""
    metadata: dict[str, str] = {}

    @classmethod
    def of(cls, instance: Instance, image: ImageMeta, at: float, devices: Sequence[BlockDevice] = ()) -> "Guest":
        """Make the guest that an instance asks for, just started."""
        flavor = instance.flavor
        root = instance.root_device_name.removeprefix("/dev/")
        second = ("vdb",) if flavor.ephemeral_gb else ()
        return cls(
            uuid=instance.uuid,
            hostname=instance.hostname or instance.display_name,
            flavor=flavor.name,
            image=image.name or image.id,
            vcpus=flavor.vcpus,
            memory_mb=flavor.memory_mb,
            disk_gb=flavor.disk_gb,
            disks=(*dict.fromkeys((root, *second, *(it.device_name.removeprefix("/dev/") for it in devices))),),
            nics=nics_of(instance),
            config_drive=instance.config_drive,
            boots=(at,),
            name=instance.display_name,
            metadata=instance.metadata,
        )

    def started(self, at: float, rescue: str | None = None) -> "Guest":
        """Give the guest as it is after one more start."""
        boots = (*self.boots[:1], *self.boots[1:][-14:], at)
        return msgspec.structs.replace(self, power_state=states.RUNNING, boots=boots, rescue=rescue)

    def sized(self, flavor: Flavor) -> "Guest":
        """Give the guest as it is with another flavor."""
        size = {"vcpus": flavor.vcpus, "memory_mb": flavor.memory_mb, "disk_gb": flavor.disk_gb}
        return msgspec.structs.replace(self, flavor=flavor.name, **size)

    def with_nic(self, instance: Instance, mac_address: str) -> "Guest":
        """Give the guest as it is with one more network interface of its instance."""
        added = tuple(nic for nic in nics_of(instance) if nic.mac_address == mac_address)
        return msgspec.structs.replace(self, nics=(*self.without_nic(mac_address).nics, *added))

    def without_nic(self, mac_address: str) -> "Guest":
        """Give the guest as it is without a network interface."""
        left = tuple(nic for nic in self.nics if nic.mac_address != mac_address)
        return msgspec.structs.replace(self, nics=left)

    def in_state(self, power_state: int) -> "Guest":
        """Give the guest as it is after it stopped, one way or another."""
        return msgspec.structs.replace(self, power_state=power_state)


def nics_of(instance: Instance) -> tuple[FixedIP, ...]:
    """Give an address of each network interface, which is known by its MAC address: the first of those that it has."""
    nics: dict[str, FixedIP] = {}
    for ip in instance.addresses:
        nics.setdefault(ip.mac_address, ip)
    return tuple(nics.values())


_encoder = msgspec.json.Encoder()
_one, _many = msgspec.json.Decoder(Guest | None), msgspec.json.Decoder(Guest)


class GuestStore:
    """The folder of one host's guests.

    :param folder: where the guests of all hosts are; each host has a folder of its own in it
    """

    def __init__(self, folder: str, host: str) -> None:
        self._folder = Path(folder) / quote(host, safe="")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._all, self._in_all = self._folder / "all.jsonl", set[str]()

    def load(self) -> dict[str, Guest]:
        """Read every guest; a file that cannot be read is logged and left alone."""
        replaced = self._read(self._all, lambda text: _many.decode_lines(text), list[Guest]())
        guests = {guest.uuid: guest for guest in replaced}
        self._in_all = {*guests}
        for path in self._folder.glob("*.json"):
            guest = self._read(path, _one.decode, None)
            if guest is not None:
                guests[guest.uuid] = guest
            elif path.stem in self._in_all:
                guests.pop(path.stem, None)
        return guests

    def _read(self, path: Path, decode: Callable[[bytes], T], default: T) -> T:
        try:
            return decode(path.read_bytes()) if path.exists() else default
        except (OSError, msgspec.DecodeError) as error:
            LOG.error("fake hypervisor cannot read the guest in %s, which is lost: %s", path, error)
            return default

    def replace(self, guests: Sequence[Guest]) -> None:
        """Remember these guests and no others."""
        self._put(self._all, _encoder.encode_lines(guests))
        self._in_all = {guest.uuid for guest in guests}
        for path in self._folder.glob("*.json"):
            path.unlink()

    def save(self, guest: Guest) -> None:
        """Remember a guest as it is now."""
        self._put(self._path(guest.uuid), msgspec.json.encode(guest))

    def remove(self, uuid: str) -> None:
        """Forget a guest; one that is not there is forgotten already."""
        if uuid in self._in_all:
            self._put(self._path(uuid), msgspec.json.encode(None))
        else:
            self._path(uuid).unlink(missing_ok=True)

    def _put(self, path: Path, text: bytes) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_bytes(text)
        os.replace(fresh, path)

    def _path(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.json"
