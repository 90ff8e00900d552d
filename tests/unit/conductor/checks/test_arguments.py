"""What the conductor accepts from a compute node, argument by argument."""

from datetime import UTC, datetime

import pytest

from mininova import rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.checks.arguments import CHECKS
from mininova.conductor.rpcapi import ConductorAPI
from mininova.objects import ComputeNode, Fault, Flavor, Instance, InstanceChanges, Service, TaskLog
from mininova.service.upgrade_levels import spoken
from mininova.trust.broker import definitions
from mininova.trust.gate import gate
from mininova.trust.identities import compute

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)
OURS = Instance(
    uuid="u-1", project_id="p", user_id="u", display_name="vm", vm_state="building", flavor=FLAVOR, host="host-1"
)
SERVICE = Service(binary="nova-compute", host="host-1", topic="compute", versions=spoken(ComputeAPI))
NODE = ComputeNode(host="host-1", hypervisor_hostname="host-1", vcpus=8, memory_mb=1024, local_gb=10)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAULT = Fault(code=500, message="the disk is full")

GOOD = {
    "reschedule_instance": {"instance": OURS, "fault": FAULT},
    "allocate_network": {"instance": OURS},
    "connect_volumes": {"instance": OURS},
    "update_instance": {
        "instance": OURS, "operation": "build", "changes": InstanceChanges(task_state="spawning")
    },
    "fail_instance": {"instance": OURS, "operation": "build", "fault": FAULT},
    "destroy_instance": {"instance": OURS, "terminated_at": None},
    "get_instance": {"uuid": "u-1"},
    "get_instances": {"host": "host-1", "active_since": None},
    "reconcile_host": {"host": "host-1", "cleared": ["u-1"]},
    "report_state": {"service": SERVICE, "node": NODE},
    "record_task_log": {"task_log": TaskLog(host="host-1", period_beginning=NOON, period_ending=NOON)},
    "get_levels": {},
    "renew_password": {"password_hash": definitions.password_hash("secret"), "instead_of_password": ""},
}  # fmt: skip


def ask(method, **arguments):
    """Call a method as compute.rack, which runs host-1 and host-2."""
    before = gate(lambda name: compute("rack", ["host-1", "host-2"]), CHECKS)
    before("compute.rack", ConductorAPI.methods[method], {**GOOD[method], **arguments})


@pytest.mark.parametrize("method", GOOD)
def test_its_own(method):
    """A compute may call each of its methods for its own instances and hosts."""
    ask(method)


@pytest.mark.parametrize("method", [method for method, arguments in GOOD.items() if "instance" in arguments])
@pytest.mark.parametrize("host", ["host-3", "", None, "HOST-1", "host-1 "])
def test_an_instance_of_another_host(method, host):
    """Each method is refused for an instance that is on none of its hosts."""
    with pytest.raises(rpc.Forbidden, match=r"u-1: it does not stand for the host"):
        ask(method, instance=OURS.replace(host=host))


@pytest.mark.parametrize("method", ["get_instances", "reconcile_host"])
def test_the_list_of_another_host(method):
    """A compute may list the instances of its own hosts only, and clear what left these."""
    ask(method, host="host-2")
    with pytest.raises(rpc.Forbidden, match=r"host host-3: it does not stand for the host host-3"):
        ask(method, host="host-3")


@pytest.mark.parametrize("cleared", [["u-1"] * 1001, ["u" * 37]], ids=["many", "long"])
def test_more_than_can_have_left(cleared):
    """A host is told of a thousand instances at a time at most."""
    with pytest.raises(rpc.Forbidden, match="cannot have left it"):
        ask("reconcile_host", cleared=cleared)


# ---- what it may report


@pytest.mark.parametrize(
    ("service", "node", "why"),
    [
        ({"host": "host-3"}, {"host": "host-3"}, "does not stand for the host host-3"),
        ({}, {"host": "host-2", "hypervisor_hostname": "host-2"}, "service is on host-1, and the node on host-2"),
        ({"binary": "nova-conductor"}, {}, "a compute is no nova-conductor"),
        ({"topic": "conductor"}, {}, "of the topic conductor"),
        ({}, {"hypervisor_hostname": "host-3"}, "hypervisor_hostname is host-3"),
        ({}, {"hypervisor_hostname": "host-10"}, "hypervisor_hostname is host-10"),
        ({}, {"hypervisor_hostname": "host-1.annex"}, "hypervisor_hostname is host-1.annex"),
        ({"versions": {"conductor": "1.0"}}, {}, "does not serve conductor"),
        ({"versions": {"anything": "1.0"}}, {}, "does not serve anything"),
        ({"versions": {"scheduler": "9.9"}}, {}, "does not serve scheduler"),
        ({"versions": {"compute": "no version"}}, {}, "no version is no version"),
        ({"versions": {"compute": "1." * 50 + "0"}}, {}, "is no version"),
        ({"versions": {"Instance": "1.0 " * 50}}, {}, "is no version"),
        ({"versions": {f"O{n}": "1.0" for n in range(101)}}, {}, "101 interfaces and objects"),
        ({}, {"cpu_info": {"model": "x" * 20_000}}, "longer than 16384 bytes"),
        ({"availability_zone": "x" * 20_000}, {}, "longer than 16384 bytes"),
    ],
)
def test_reports_of_what_is_not_its_own(service, node, why):
    """A compute may report only its own service and its own host's resources, in texts of a limited length."""
    with pytest.raises(rpc.Forbidden, match=why):
        ask("report_state", service=SERVICE.replace(**service), node=NODE.replace(**node))


def test_the_objects_of_a_newer_compute():
    """A compute that was upgraded first may send objects of a version that the conductor does not know."""
    ask("report_state", service=SERVICE.replace(versions={"compute": "1.7 2.0", "VolumeAttachment": "1.0"}))


@pytest.mark.parametrize("hashed", ["", "A" * 47, "A" * 49, "A" * 47 + '"', "A" * 48 + "\n"])
def test_a_hash_that_no_password_has(hashed):
    """What goes on to the broker has the form that our own computes give it."""
    with pytest.raises(rpc.Forbidden, match="no hash of a password"):
        ask("renew_password", password_hash=hashed)
