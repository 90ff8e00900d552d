"""Each filter passes the hosts it should, and no others: one row for each case."""

from importlib.metadata import entry_points

import pytest

from mininova import plugins
from mininova.scheduler.filters import enabled, needed

FAKE = {"image_properties": {"hypervisor_type": ["fake"], "vm_mode": ["hvm"], "hw_architecture": ["x86_64"]}}


def image(**properties):
    return {"properties": properties}


# filter → (the host, the request, whether it passes); a host has 2048 MiB, 8 vCPUs, 100 GiB and no overcommit,
# and the request is for 1024 MiB, 1 vCPU and 10 GiB.
CASES = {
    "ComputeFilter": [
        ({}, {}, True),
        ({"is_up": False}, {}, False),
        ({"service_fields": {"disabled": True}}, {}, False),
    ],
    "RamFilter": [
        ({"memory_mb": 1024}, {}, True),
        ({"memory_mb": 1023}, {}, False),
        ({"memory_mb_used": 1025}, {}, False),
        ({"memory_mb_used": 1025, "ram_allocation_ratio": 1.5}, {}, True),
        ({"memory_mb": 1000, "ram_allocation_ratio": 9.0}, {}, False),
    ],
    "CoreFilter": [
        ({"vcpus": 1}, {}, True),
        ({"vcpus": 1, "vcpus_used": 1}, {}, False),
        ({"vcpus": 1, "vcpus_used": 1, "cpu_allocation_ratio": 2.0}, {}, True),
        ({"vcpus": 1, "cpu_allocation_ratio": 9.0}, {"flavor_fields": {"vcpus": 2}}, False),
    ],
    "DiskFilter": [
        ({"local_gb": 10}, {}, True),
        ({"local_gb": 10}, {"flavor_fields": {"swap_mb": 1}}, False),
        ({"local_gb": 19, "local_gb_used": 10}, {}, False),
        ({"local_gb": 19, "local_gb_used": 10, "disk_allocation_ratio": 1.1}, {}, True),
    ],
    "AvailabilityZoneFilter": [
        ({}, {}, True),
        ({}, {"availability_zone": "nova"}, True),
        ({}, {"availability_zone": "east"}, False),
    ],
    "RetryFilter": [
        ({}, {"tried": ("host-2",)}, True),
        ({}, {"tried": ("host-2", "host-1")}, False),
    ],
    "RequestedDestinationFilter": [
        ({}, {}, True),
        ({}, {"requested_host": "host-1"}, True),
        ({}, {"requested_host": "host-2"}, False),
        ({}, {"requested_node": "host-1.cell"}, True),
        ({}, {"requested_node": "host-2.cell"}, False),
    ],
    "ImagePropertiesFilter": [
        ({}, {}, True),
        ({}, image(os_distro="debian"), True),
        ({}, image(vm_mode="hvm"), False),
        (FAKE, image(vm_mode="hvm", img_hv_type="Fake", architecture="amd64"), True),
        (FAKE, image(hw_vm_mode="xen"), False),
        (FAKE, image(img_hv_type="kvm"), False),
        (FAKE, image(vm_mode="hvm", hw_architecture="armv7"), False),
    ],
}


@pytest.mark.parametrize(
    ("name", "host", "asked", "passes"), [(name, *case) for name, cases in CASES.items() for case in cases]
)
def test_filter(a_host_state, a_spec, name, host, asked, passes):
    """A filter's answer follows from the host and the request."""
    (each,) = enabled([name])
    assert each.host_passes(a_host_state(**host), a_spec(**asked)) is passes


def test_every_filter_has_cases():
    """Each filter has a case that passes and one that does not."""
    assert CASES.keys() == entry_points(group=plugins.KINDS["filter"]).names
    assert all({passes for *_, passes in cases} == {True, False} for cases in CASES.values())


def names(filters):
    return [type(each).__name__ for each in filters]


def test_order():
    """Filters run in the order of the configuration."""
    assert names(enabled(["RamFilter", "ComputeFilter"])) == ["RamFilter", "ComputeFilter"]


def test_requested_destination_is_always_kept(a_spec):
    """A requested host is checked first, whatever the configuration says, and only if one is requested."""
    assert names(needed(a_spec(requested_node="host-1.cell"), enabled(["RamFilter"]))) == [
        "RequestedDestinationFilter",
        "RamFilter",
    ]
    assert names(needed(a_spec(), enabled(["RamFilter"]))) == ["RamFilter"]
