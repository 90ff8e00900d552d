"""Each filter passes the hosts it should, and no others: one row for each case."""

from collections import Counter
from importlib.metadata import entry_points

import pytest

from mininova import plugins
from mininova.db.server_groups import ServerGroup
from mininova.scheduler.filters import enabled, needed
from mininova.scheduler.neighbours import Neighbours

AT = {"host_ip": "10.1.2.3"}
FAKE = {"image_properties": {"hypervisor_type": ["fake"], "vm_mode": ["hvm"], "hw_architecture": ["x86_64"]}}


def image(**properties):
    return {"properties": properties}


def hint(**hints):
    return {"scheduler_hints": hints}


def near(policy="affinity", *members, **rules):
    """Have a group with members on some hosts, and beside it an instance on host-1 and one on host-2."""
    group = ServerGroup(uuid="g", name="g", project_id="p", user_id="u", policy=policy, rules=rules)
    return {"neighbours": Neighbours({"on-1": "host-1", "on-2": "host-2"}, group, Counter(members))}


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
    "SameHostFilter": [
        ({}, {}, True),
        (near(), hint(same_host="on-1"), True),
        (near(), hint(same_host="on-2,on-1"), True),
        (near(), hint(same_host="on-2"), False),
        (near(), hint(same_host="nowhere"), False),
        (near(), hint(same_host=""), True),
    ],
    "DifferentHostFilter": [
        ({}, {}, True),
        (near(), hint(different_host="on-2,nowhere"), True),
        (near(), hint(different_host="on-1"), False),
        (near(), hint(different_host="on-2,on-1"), False),
    ],
    "ServerGroupAffinityFilter": [
        ({}, {}, True),
        (near("affinity"), {}, True),
        (near("affinity", "host-1"), {}, True),
        (near("affinity", "host-2"), {}, False),
        (near("anti-affinity", "host-1"), {}, True),
        (near("soft-affinity", "host-2"), {}, True),
    ],
    "ServerGroupAntiAffinityFilter": [
        ({}, {}, True),
        (near("anti-affinity", "host-2"), {}, True),
        (near("anti-affinity", "host-1"), {}, False),
        (near("anti-affinity", "host-1", max_server_per_host=2), {}, True),
        (near("anti-affinity", "host-1", "host-1", max_server_per_host=2), {}, False),
        (near("affinity", "host-2"), {}, True),
        (near("soft-anti-affinity", "host-1"), {}, True),
    ],
    "SimpleCIDRAffinityFilter": [
        (AT, {}, True),
        (AT, hint(build_near_host_ip="10.1.2.77"), True),
        (AT, hint(build_near_host_ip="10.1.3.77"), False),
        (AT, hint(build_near_host_ip="10.1.3.77", cidr="/16"), True),
        (AT, hint(build_near_host_ip="10.1.2.4", cidr="/32"), False),
        (AT, hint(build_near_host_ip="10.1.2.3", cidr="/99"), False),
        (AT, hint(build_near_host_ip="fd00::1", cidr="/64"), False),
        ({"host_ip": "fd00::2"}, hint(build_near_host_ip="fd00::1", cidr="/64"), True),
    ],
    "JsonFilter": [
        ({}, {}, True),
        ({}, hint(query=""), True),
        ({}, hint(query="{}"), True),
        ({}, hint(query='["=", "$host", "host-1"]'), True),
        ({}, hint(query='["=", "$host", "host-2"]'), False),
        ({}, hint(query='[">=", "$free_ram_mb", 2048]'), True),
        ({"memory_mb_used": 1}, hint(query='[">=", "$free_ram_mb", 2048]'), False),
        ({}, hint(query='["<", "$vcpus_used", "$vcpus_total"]'), True),
        ({}, hint(query='["and", [">", "$free_disk_mb", 102399], ["<=", "$free_disk_mb", 102400]]'), True),
        ({}, hint(query='["or", ["=", "$host", "host-2"], ["in", "$host", "host-1", "host-3"]]'), True),
        ({}, hint(query='["not", ["=", "$host", "host-1"]]'), False),
        ({}, hint(query='["not", ["=", "$host", "host-1"], ["=", "$host", "host-2"]]'), True),
        ({"cpu_info": {"arch": "x86_64"}}, hint(query='["=", "$cpu_info.arch", "x86_64"]'), True),
        ({}, hint(query='["=", "$cpu_info.arch", "x86_64"]'), False),
        ({}, hint(query='["=", "$consume", "x"]'), False),
        *(
            ({}, hint(query=nonsense), False)
            for nonsense in (
                "[",
                '["?", 1]',
                '{"=": 1}',
                "7",
                "[[]]",
                '["<", "$host", 1]',
                '["=", "$host.x", 1]',
                '["and",' * 5000 + "true" + "]" * 5000,
            )
        ),
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


def test_a_filter_that_reads_a_hint_is_asked_with_the_hint_only(a_spec):
    """Any number of them costs a request nothing that has no such hint."""
    configured = enabled(["RamFilter", "JsonFilter", "ServerGroupAffinityFilter", "SameHostFilter"])
    assert names(needed(a_spec(scheduler_hints={"unheard_of": "1"}), configured)) == ["RamFilter"]
    assert names(needed(a_spec(scheduler_hints={"group": "g"}), configured)) == [
        "RamFilter",
        "ServerGroupAffinityFilter",
    ]
