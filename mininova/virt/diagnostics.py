"""The counters of a guest of the fake hypervisor.

They follow from the guest's uuid and from how long it has run: a guest keeps its character, counters only grow
while it runs, and nothing has to be kept.  The shape is the driver contract's (virt/driver.py).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mininova import states
from mininova.virt.guests import Guest

STATES: Mapping[int, str] = {states.RUNNING: "running", states.POWER_PAUSED: "paused", states.CRASHED: "crashed"}


def read(guest: Guest, now: float) -> dict[str, Any]:
    """Give the counters of a guest.

    :param now: epoch seconds
    """
    running = guest.power_state == states.RUNNING
    uptime = max(0.0, now - guest.boots[-1]) if running else 0.0
    return {
        "state": STATES.get(guest.power_state, "shutdown"),
        "driver": "libvirt",  # Nova's schema knows four drivers; its own fake says this one, too
        "hypervisor": "fake",
        "hypervisor_os": "linux",
        "uptime": int(uptime),
        "config_drive": guest.config_drive,
        "num_cpus": guest.vcpus,
        "num_disks": len(guest.disks),
        "num_nics": len(guest.nics),
        "memory_details": {"maximum": guest.memory_mb, "used": guest.memory_mb * _rate(guest, "memory", 20, 80) // 100},
        "cpu_details": [_cpu(guest, number, uptime) for number in range(guest.vcpus)],
        "disk_details": [_disk(guest, name, uptime) for name in guest.disks],
        "nic_details": [_nic(guest, nic.mac_address, uptime) for nic in guest.nics],
        "disk_names": list(guest.disks),
        "nic_names": [f"tap{nic.mac_address.replace(':', '')[-11:]}" for nic in guest.nics],
    }


def _cpu(guest: Guest, number: int, uptime: float) -> dict[str, int]:
    busy = _rate(guest, f"cpu{number}", 1, 30)
    return {"id": number, "time": int(uptime * busy * 10_000_000), "utilisation": busy if uptime else 0}


def _disk(guest: Guest, name: str, uptime: float) -> dict[str, int]:
    reads, writes = int(uptime * _rate(guest, f"{name} r", 1, 20)), int(uptime * _rate(guest, f"{name} w", 1, 20))
    return {
        "read_bytes": reads * 4096,
        "read_requests": reads,
        "write_bytes": writes * 4096,
        "write_requests": writes,
        "errors_count": 0,
    }


def _nic(guest: Guest, mac_address: str, uptime: float) -> dict[str, int | str]:
    counters: dict[str, int | str] = {"mac_address": mac_address}
    for way in ("rx", "tx"):
        rate = _rate(guest, way, 1, 40)
        packets = int(uptime * rate)
        counters |= {
            f"{way}_octets": packets * 512,
            f"{way}_packets": packets,
            f"{way}_errors": 0,
            f"{way}_drop": 0,
            f"{way}_rate": rate * 512 if uptime else 0,
        }
    return counters


def _rate(guest: Guest, what: str, low: int, high: int) -> int:
    """Pick a number for something of a guest: the same every time."""
    return low + (UUID(guest.uuid).int + sum(what.encode()) * 31) % (high - low + 1)
