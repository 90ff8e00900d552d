"""Diagnostics have Nova's shape, and counters that only grow."""

from mininova import states
from mininova.virt import diagnostics
from mininova.virt.guests import Guest

STANDARD = {
    "config_drive", "cpu_details", "disk_details", "driver", "hypervisor", "hypervisor_os", "memory_details",
    "nic_details", "num_cpus", "num_disks", "num_nics", "state", "uptime",
}  # fmt: skip


def counters(found):
    """Collect the numbers that must not fall."""
    parts = [*found["cpu_details"], *found["disk_details"], *found["nic_details"]]
    return [part[name] for part in parts for name in sorted(part) if isinstance(part[name], int) and "rate" not in name]


def test_shape(instance, image):
    """The answer has the fields of microversion 2.48, and a name for each device."""
    found = diagnostics.read(Guest.of(instance, image, 0.0), 10.0)
    assert set(found) == STANDARD | {"disk_names", "nic_names"}
    assert found["num_cpus"] == len(found["cpu_details"]) == 2
    assert found["num_disks"] == len(found["disk_details"]) == len(found["disk_names"]) == 2
    assert found["num_nics"] == len(found["nic_details"]) == len(found["nic_names"]) == 1
    assert found["nic_details"][0]["mac_address"] == "fa:16:3e:00:00:07"


def test_counters_grow(instance, image):
    """The counters of a running guest grow."""
    guest = Guest.of(instance, image, 0.0)
    early, late = diagnostics.read(guest, 10.0), diagnostics.read(guest, 1000.0)
    assert late["uptime"] == 1000
    assert late["state"] == "running"
    assert all(before <= after for before, after in zip(counters(early), counters(late), strict=True))
    assert counters(early) != counters(late)


def test_same_guest_same_counters(instance, image):
    """The counters of a guest at one moment are the same in any process."""
    guest = Guest.of(instance, image, 0.0)
    assert diagnostics.read(guest, 77.0) == diagnostics.read(guest, 77.0)


def test_stopped(instance, image):
    """A guest that does not run has no uptime."""
    found = diagnostics.read(Guest.of(instance, image, 0.0).in_state(states.SHUTDOWN), 10.0)
    assert (found["state"], found["uptime"]) == ("shutdown", 0)
