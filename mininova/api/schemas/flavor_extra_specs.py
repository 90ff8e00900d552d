"""What extra specs a flavor may have; from microversion 2.86 on, by a table of Nova's own keys and their values.

A key in one of Nova's namespaces must be in the table; any other key is free.  Names that belong to
other projects (traits, resource classes) are checked by their form only.  Nothing of a fake host depends on them.
"""

import re
from collections.abc import Callable, Mapping

from mininova import errors
from mininova.api.schemas.types import KEY, Json, object_of
from mininova.api.validation import Schemas

SPECS: Json = {
    "type": "object",
    "patternProperties": {KEY: {"type": ["string", "number"], "maxLength": 255}},
    "additionalProperties": False,
}
EXTRA_SPECS = Schemas.always(object_of({"extra_specs": SPECS}, ["extra_specs"]))
EXTRA_SPEC = Schemas.always(SPECS | {"minProperties": 1, "maxProperties": 1})

Check = Callable[[str], str | None]

TRUE_OR_FALSE = frozenset({"1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"})


def anything(value: str) -> str | None:
    """Accept it."""
    return None


def boolean(value: str) -> str | None:
    """Say what is wrong with a boolean."""
    return None if value.lower() in TRUE_OR_FALSE else f"'{value}' is not a valid boolean value."


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """Make a check of numbers."""

    def check(value: str) -> str | None:
        try:
            number = int(value)
        except ValueError:
            return f"'{value}' is not a valid integer value."
        if minimum is not None and number < minimum:
            return f"'{value}' is less than the min value of '{minimum}'."
        if maximum is not None and number > maximum:
            return f"'{value}' is greater than the max value of '{maximum}'."
        return None

    return check


def one_of(*words: str) -> Check:
    """Make a check of words."""
    return lambda value: None if value in words else f"'{value}' is not one of: {', '.join(words)}."


def pattern(form: str) -> Check:
    """Make a check of a form."""
    return lambda value: None if re.fullmatch(form, value) else f"'{value}' is not of the format '{form}'."


CPUS = pattern(r"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*")
LEVEL = one_of("custom", "high", "normal", "low")
NUMBER, COUNT, POSITIVE = integer(), integer(0), integer(1)
GROUP = "([a-zA-Z0-9_-]{1,64})?"

# The key, as an expression, and what its value must be (nova: api/validation/extra_specs).
KNOWN: dict[str, Check] = {
    "accel:device_profile": anything,
    "aggregate_instance_extra_specs:.+": anything,
    r"capabilities:\w+(:\w+)*": anything,
    "group_policy": one_of("isolate", "none"),
    "hide_hypervisor_id": boolean,
    "hw:(boot_menu|cpu_realtime|ephemeral_encryption|hide_hypervisor_id|locked_memory|mem_encryption|pmu)": boolean,
    "hw:(vif_multiqueue_enabled|virtio_packed_ring)": boolean,
    "hw:cpu_(max_)?(cores|sockets|threads)": POSITIVE,
    "hw:cpu_(dedicated|realtime)_mask": CPUS,
    "hw:cpu_policy": one_of("dedicated", "shared", "mixed"),
    "hw:cpu_thread_policy": one_of("prefer", "isolate", "require"),
    "hw:emulator_threads_policy": one_of("isolate", "share"),
    "hw:ephemeral_encryption_format": one_of("plain", "luks", "luksv2"),
    "hw:mem_encryption_model": one_of("amd-sev", "amd-sev-es", "amd-sev-snp", "intel-tdx"),
    "hw:mem_page_size": pattern(r"(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)"),
    r"hw:numa_cpus\.\d+": CPUS,
    r"hw:numa_mem\.\d+": POSITIVE,
    "hw:numa_nodes": POSITIVE,
    "hw:pci_numa_affinity_policy": one_of("required", "preferred", "legacy", "socket"),
    "hw:pmem": pattern("([a-zA-Z0-9_]+(,)?)+"),
    "hw:redirected_usb_ports": integer(0, 15),
    "hw:serial_port_count": COUNT,
    "hw:sound_model": one_of("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio"),
    "hw:tpm_model": one_of("tpm-tis", "tpm-crb"),
    "hw:tpm_secret_security": one_of("user", "host", "deployment"),
    "hw:tpm_version": one_of("1.2", "2.0"),
    "hw:usb_model": one_of("none", "nec-xhci", "qemu-xhci"),
    "hw:viommu_model": one_of("intel", "smmuv3", "virtio", "auto"),
    "hw:watchdog_action": one_of("none", "pause", "poweroff", "reset", "disabled"),
    "hw_rng:allowed": boolean,
    "hw_rng:rate_(bytes|period)": COUNT,
    "hw_video:ram_max_mb": COUNT,
    "os:secure_boot": one_of("disabled", "required"),
    "pci_passthrough:alias": pattern(r"[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*"),
    "quota:(cpu|disk_io|memory|vif)_limit": COUNT,
    "quota:(cpu|disk_io|memory|vif)_reservation": NUMBER,
    "quota:(cpu|disk_io|memory|vif)_shares_level": LEVEL,
    "quota:(cpu|disk_io|memory|vif)_shares_share": COUNT,
    "quota:cpu_(period|shares)": COUNT,
    "quota:cpu_quota": NUMBER,
    "quota:disk_(read|write|total)_(bytes|iops)_sec": COUNT,
    "quota:vif_(inbound|outbound)_(average|burst|peak)": COUNT,
    f"resources{GROUP}:[A-Z0-9_]+": NUMBER,
    f"trait{GROUP}:[A-Z0-9_]+": one_of("required", "forbidden"),
    "vmware:(hw_version|storage_policy)": anything,
}
_KNOWN = [(re.compile(key), check) for key, check in KNOWN.items()]
NAMESPACES = re.compile(
    "(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware"
    f"|resources{GROUP}|trait{GROUP}):.*"
)


def require_known(specs: Mapping[str, str]) -> None:
    """Refuse extra specs that Nova would have no use for.

    :raises errors.InvalidInput: naming the key, or the value and what it may be
    """
    for key, value in specs.items():
        complaint = _complaint(key, value)
        if complaint is not None:
            raise errors.InvalidInput(f"Validation failed; {complaint}")


def _complaint(key: str, value: str) -> str | None:
    for known, check in _KNOWN:
        if known.fullmatch(key):
            return check(value)
    return f"extra spec '{key}' does not appear to be a valid extra spec." if NAMESPACES.fullmatch(key) else None
