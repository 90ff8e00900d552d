"""Registering itself anew, to be placed by other labels than those that were recorded (as in CVE-2025-5187)."""

from itertools import count

import pytest

from tests.fixtures.taken_over import changed

REPORT = "report_state"
LABELS = "availability_zone, cpu_info, image_properties, vcpus, ram_allocation_ratio"

numbers = count(1)


@pytest.fixture(autouse=True)
def unchanged():
    """Let the database change: a host comes and goes."""


@pytest.fixture
def new_host(world):
    """Have an operator let a compute in; its machine is the attacker's from the first moment."""
    name = f"anew-{next(numbers)}"
    yield world.add_host(name)
    world.remove_host(name)
    world.forget_service(name)


@pytest.fixture
def report(service, node):
    """Give a function that sends the heartbeat of a host, with some labels of its own choice."""

    def report(attacker, of_service={}, of_node={}):
        host = {"host": attacker.host}
        said = {
            "service": changed(service, **host, **of_service),
            "node": changed(node, **host, hypervisor_hostname=attacker.host, **of_node),
        }
        assert attacker.ask(REPORT, said).failure is None

    return report


def labels(rows, host):
    """Read what the scheduler places by."""
    return rows.read(f"SELECT {LABELS} FROM services JOIN compute_nodes USING (host) WHERE host = ?", host)


@pytest.mark.sees("it is registered, with what was recorded of it before")
@pytest.mark.parametrize("how", ["its service is deleted", "it is removed and added", "both"])
def test_other_labels(world, new_host, report, rows, node, observe, how):
    """Registers itself anew with another zone, traits, images and room, after an operator has removed it."""
    attacker, host = new_host, new_host.host
    report(attacker)
    (before,) = labels(rows, host)
    if how != "it is removed and added":
        world.forget_service(host)
    if how != "its service is deleted":
        world.remove_host(host)
        attacker = world.add_host(host)
    known = node["versioned_object.data"]
    other = {
        "cpu_info": known["cpu_info"] | {"traits": ["GOLD"]},
        "image_properties": known["image_properties"] | {"hw_architecture": ["x86_64", "s390x"]},
        "vcpus": 4096,
        "ram_allocation_ratio": 100.0,
    }
    with observe.listed(attacker.user, REPORT, "its vcpus may be", "and it says 4096"):
        report(attacker, {"availability_zone": "gold"}, other)
    assert labels(rows, host) == [before]
