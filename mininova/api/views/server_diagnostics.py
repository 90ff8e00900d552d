"""How a guest's counters look: in Nova's standard form since 2.48, and as drivers named them before."""

from typing import Any

Json = dict[str, Any]

# The driver contract has a little more, for the older form.
STANDARD = (
    "state", "driver", "hypervisor", "hypervisor_os", "uptime", "config_drive", "num_cpus", "num_nics", "num_disks",
    "memory_details", "cpu_details", "disk_details", "nic_details",
)  # fmt: skip
DISK_WORDS = {
    "read": "read_bytes", "read_req": "read_requests", "write": "write_bytes", "write_req": "write_requests",
    "errors": "errors_count",
}  # fmt: skip
NIC_WORDS = {
    f"{way}{suffix}": f"{way}_{word}"
    for way in ("rx", "tx")
    for suffix, word in (("", "octets"), ("_packets", "packets"), ("_errors", "errors"), ("_drop", "drop"))
}


def standard_form(read: Json) -> Json:
    """Show counters as every driver has them since 2.48."""
    return {name: read[name] for name in STANDARD}


def old_form(read: Json) -> Json:
    """Show counters as drivers did before 2.48: one word each, made of the device and the counter."""
    shown: Json = {f"cpu{cpu['id']}_time": cpu["time"] for cpu in read["cpu_details"]}
    shown["memory"] = read["memory_details"]["maximum"] * 1024
    for name, disk in zip(read["disk_names"], read["disk_details"], strict=False):
        shown |= {f"{name}_{old}": disk[new] for old, new in DISK_WORDS.items()}
    for name, nic in zip(read["nic_names"], read["nic_details"], strict=False):
        shown |= {f"{name}_{old}": nic[new] for old, new in NIC_WORDS.items()}
    return shown
