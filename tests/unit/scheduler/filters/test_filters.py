"""Each filter passes the hosts it should, and no others: one row for each case."""

from collections import Counter
from importlib.metadata import entry_points

import pytest

from mininova import conf, plugins
from mininova.db.server_groups import ServerGroup
from mininova.scheduler.filters import enabled, needed
from mininova.scheduler.filters.extra_specs import match
from mininova.scheduler.neighbours import Neighbours

AT = {"host_ip": "10.1.2.3"}
FAKE = {"image_properties": {"hypervisor_type": ["fake"], "vm_mode": ["hvm"], "hw_architecture": ["x86_64"]}}


def configured(*names, **settings):
    return enabled(conf.for_tests("scheduler", **{"filter_scheduler.enabled_filters": ",".join(names)}, **settings))


def image(**properties):
    return {"properties": properties}


def hint(**hints):
    return {"scheduler_hints": hints}


def near(policy="affinity", *members, **rules):
    """Have a group with members on some hosts, and beside it an instance on host-1 and one on host-2."""
    group = ServerGroup(uuid="g", name="g", project_id="p", user_id="u", policy=policy, rules=rules)
    return {"neighbours": Neighbours({"on-1": "host-1", "on-2": "host-2"}, group, Counter(members))}


def specs(**extra_specs):
    return {"flavor_fields": {"extra_specs": {key.replace("__", ":"): asked for key, asked in extra_specs.items()}}}


def said(**metadata):
    return {"aggregate_metadata": {key: frozenset(text.split(",")) for key, text in metadata.items()}}


def traits(**asked):
    return {"flavor_fields": {"extra_specs": {f"trait:{name}": how for name, how in asked.items()}}}


CPU = {"cpu_info": {"arch": "x86_64", "features": ["avx", "sse4-2"]}}
AT_WORK = {"neighbours": Neighbours(at_work={"host-1": 8})}
GOLD = {"aggregate_metadata": {"trait:CUSTOM_GOLD": frozenset({"required"})}}

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
    "AllHostsFilter": [({}, {}, True), ({"is_up": False, "memory_mb": 0}, {}, True)],
    "ComputeCapabilitiesFilter": [
        ({}, {}, True),
        ({}, specs(capabilities__hypervisor_type="fake"), True),
        ({}, specs(hypervisor_type="s== fake"), True),
        ({}, specs(hypervisor_type="kvm"), False),
        ({}, specs(capabilities__hypervisor_version=">= 1000"), True),
        ({}, specs(capabilities__hypervisor_version=">= 1001"), False),
        ({}, specs(capabilities__hypervisor_type=">= 1001"), False),
        (CPU, specs(capabilities__cpu_info__arch="<or> arm <or> x86_64"), True),
        (CPU, specs(capabilities__cpu_info__features="<all-in> avx sse"), True),
        (CPU, specs(capabilities__cpu_info__model="x"), False),
        (CPU, specs(capabilities__host__x="x"), False),
        ({}, specs(capabilities__nonesuch="x"), False),
        ({}, specs(hw__cpu_policy="dedicated"), True),
    ],
    "RequiredTraitsFilter": [
        ({}, {}, True),
        (CPU, traits(HW_CPU_X86_AVX="required", HW_CPU_X86_SSE4_2="required"), True),
        (CPU, traits(HW_CPU_X86_AVX="forbidden"), False),
        (CPU, traits(HW_CPU_X86_VMX="required"), False),
        (CPU, traits(HW_CPU_X86_VMX="forbidden"), True),
        (CPU, image(**{"trait:HW_CPU_X86_VMX": "required"}), False),
        (GOLD, traits(CUSTOM_GOLD="required"), True),
        (GOLD, traits(CUSTOM_GOLD="forbidden"), False),
        ({}, traits(CUSTOM_GOLD="required"), False),
    ],
    "AggregateInstanceExtraSpecsFilter": [
        ({}, {}, True),
        (said(disk="ssd"), specs(aggregate_instance_extra_specs__disk="ssd"), True),
        (said(disk="ssd,nvme"), specs(disk="<or> floppy <or> nvme"), True),
        (said(disk="hdd"), specs(disk="ssd"), False),
        ({}, specs(disk="ssd"), False),
        ({}, specs(capabilities__disk="ssd"), True),
    ],
    "AggregateImagePropertiesIsolation": [
        (said(os="linux"), {}, True),
        (said(os="linux"), image(os="linux"), True),
        (said(os="linux,bsd"), image(os="bsd"), True),
        (said(os="linux"), image(os="windows"), False),
        (said(os="linux"), image(distro="windows"), True),
        ({}, image(os="windows"), True),
    ],
    "AggregateMultiTenancyIsolation": [
        ({}, {}, True),
        (said(filter_tenant_id="demo,other"), {}, True),
        (said(filter_tenant_id="other"), {}, False),
        (said(filter_tenant_id="other", filter_tenant_id_2="demo"), {}, True),
    ],
    "AggregateTypeAffinityFilter": [
        ({}, {}, True),
        (said(instance_type="m1,m2"), {}, True),
        (said(instance_type="m2"), {}, False),
    ],
    "IsolatedHostsFilter": [
        ({}, {}, True),
        ({"host": "vault"}, {}, False),
    ],
    "NumInstancesFilter": [
        ({"instances_used": 49}, {}, True),
        ({"instances_used": 50}, {}, False),
        ({"instances_used": 50} | said(max_instances_per_host="51"), {}, False),
    ],
    "AggregateNumInstancesFilter": [
        ({"instances_used": 49}, {}, True),
        ({"instances_used": 50} | said(max_instances_per_host="51"), {}, True),
        ({"instances_used": 40} | said(max_instances_per_host="51,40"), {}, False),
        ({"instances_used": 50} | said(max_instances_per_host="many"), {}, False),
    ],
    "IoOpsFilter": [
        ({}, {}, True),
        (AT_WORK, {}, False),
        (AT_WORK | said(max_io_ops_per_host="9"), {}, False),
    ],
    "AggregateIoOpsFilter": [
        (AT_WORK, {}, False),
        (AT_WORK | said(max_io_ops_per_host="9"), {}, True),
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
    """A filter's answer follows from the host and the request; it passes every host to a request that it skips."""
    (each,) = configured(name, **{"filter_scheduler.isolated_hosts": "vault"})
    asked = a_spec(**asked)
    assert each.host_passes(a_host_state(**host), asked) is passes
    assert passes or each.hint or each.applies_to(asked)


@pytest.mark.parametrize(("image", "host", "restricted", "passes"), [
    ("7f3d", "vault", True, True),
    ("7f3d", "vault", False, True),
    ("7f3d", "host-1", True, False),
    ("7f3d", "host-1", False, False),
    ("other", "vault", True, False),
    ("other", "vault", False, True),
])  # fmt: skip
def test_isolated_images(a_host_state, a_spec, image, host, restricted, passes):
    """An isolated image goes to the isolated hosts, and others only where it is not restricted."""
    said = {
        "isolated_images": image,
        "isolated_hosts": "vault",
        "restrict_isolated_hosts_to_isolated_images": restricted,
    }
    (each,) = configured("IsolatedHostsFilter", **{f"filter_scheduler.{key}": value for key, value in said.items()})
    assert each.host_passes(a_host_state(host), a_spec()) is passes


def test_isolation_in_a_namespace(a_host_state, a_spec):
    """With a namespace, only what is in it is compared."""
    namespace = {"filter_scheduler.aggregate_image_properties_isolation_namespace": "we"}
    (each,) = configured("AggregateImagePropertiesIsolation", **namespace)
    host = a_host_state(aggregate_metadata={"os": frozenset({"bsd"}), "we.os": frozenset({"bsd"})})
    assert each.host_passes(host, a_spec(properties={"os": "linux"}))
    assert not each.host_passes(host, a_spec(properties={"we.os": "linux"}))


@pytest.mark.parametrize(("value", "asked", "matches"), [
    ("4", "4", True), ("4", "= 3", True), ("4", "== 4.0", True), ("4", "!= 4", False), ("4", "<= 3", False),
    ("b", "s!= a", True), ("b", "s< a", False), ("b", "s<= b", True), ("b", "s> a", True), ("b", "s>= c", False),
    ("abc", "<in> b", True), ("abc", "<in> x", False), ("abc", "<all-in> a c", True), ("abc", "<all-in> a x", False),
    ("b", "<or> a <or> b", True), ("b", "<or> a", False), ("b", "<or>", False),
    ("4", ">=", False), ("x", ">= 1", False), ("", "", True),
])  # fmt: skip
def test_extra_specs(value, asked, matches):
    """Each operator, and a text without one."""
    assert match(value, asked) is matches


def test_every_filter_has_cases():
    """Each filter has a case that passes and one that does not, but for the one that passes all."""
    assert CASES.keys() == entry_points(group=plugins.KINDS["filter"]).names
    one_sided = [name for name, cases in CASES.items() if {passes for *_, passes in cases} != {True, False}]
    assert one_sided == ["AllHostsFilter"]


def names(filters):
    return [type(each).__name__ for each in filters]


def test_order():
    """Filters run in the order of the configuration."""
    assert names(configured("RamFilter", "ComputeFilter")) == ["RamFilter", "ComputeFilter"]


def test_requested_destination_is_always_kept(a_spec):
    """A requested host is checked first, whatever the configuration says, and only if one is requested."""
    assert names(needed(a_spec(requested_node="host-1.cell"), configured("RamFilter"))) == [
        "RequestedDestinationFilter",
        "RamFilter",
    ]
    assert names(needed(a_spec(), configured("RamFilter"))) == ["RamFilter"]


def test_a_filter_that_reads_a_hint_is_asked_with_the_hint_only(a_spec):
    """Any number of them costs a request nothing that has no such hint."""
    some = configured("RamFilter", "JsonFilter", "ServerGroupAffinityFilter", "SameHostFilter")
    assert names(needed(a_spec(scheduler_hints={"unheard_of": "1"}), some)) == ["RamFilter"]
    assert names(needed(a_spec(scheduler_hints={"group": "g"}), some)) == [
        "RamFilter",
        "ServerGroupAffinityFilter",
    ]
