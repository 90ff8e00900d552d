"""A compute that is stopped in the middle of its life, and goes on: its guests follow what happened meanwhile."""

import configparser
import json
import os
import signal

import openstack
import pytest
from stack import services

from tests.fixtures import sdk

HOST = "host-2"
HOST_PROGRAM = services.COMPUTE + HOST


@pytest.fixture
def quick_host(local_stack):
    """Have a host look every second, and report as often, until the end of the test."""
    file = services.compute_file(local_stack.home, HOST)
    before = file.read_text()
    settings = configparser.RawConfigParser(strict=False)
    settings.read_string(before)
    settings.read_dict({"DEFAULT": {"report_interval": 1}, "compute": {"reconcile_interval": 1}})
    with file.open("w") as changed:
        settings.write(changed)
    assert local_stack.sh("restart", HOST).returncode == 0
    yield HOST
    file.write_text(before)
    assert local_stack.sh("restart", HOST).returncode == 0


def guests(admin):
    """Tell how many guests the host has, as it says with its heartbeats."""
    answer = admin.compute.get("/os-hypervisors/detail", microversion="2.53").json()
    return next(each["running_vms"] for each in answer["hypervisors"] if each["hypervisor_hostname"] == HOST)


def comes_to(admin, count):
    """Wait until the host has so many guests, by asking."""
    for _ in openstack.utils.iterate_timeout(60, f"{HOST} has not {count} guests", wait=0.1):
        if guests(admin) == count:
            return


def audited(stack):
    """Audit the cloud; give the exit code and what was printed."""
    done = stack.tool("mininova-manage", "audit", "-f", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def server(admin, quick_host):
    """Boot a server on the host, as the admin, who alone may choose it."""
    flavor, image = admin.compute.find_flavor("m1.tiny"), admin.image.find_image("cirros")
    wanted = {"flavor_id": flavor.id, "image_id": image.id, "networks": "auto", "availability_zone": f"nova:{HOST}"}
    made = admin.compute.create_server(name="left-behind", **wanted)
    yield sdk.at_rest(admin, made)
    admin.compute.delete_server(made, ignore_missing=True)


def test_a_guest_goes_when_its_host_goes_on(local_stack, server, admin):
    """Its server was deleted while the host was stopped: the guest goes in the next round, and all agrees again."""
    there = len(list(admin.compute.servers(all_projects=True, compute_host=HOST)))
    comes_to(admin, there)
    assert audited(local_stack)[0] == 0

    (service,) = admin.compute.services(binary="nova-compute", host=HOST)
    pid = local_stack.pids()[HOST_PROGRAM]
    os.kill(pid, signal.SIGSTOP)
    try:
        admin.compute.update_service_forced_down(service, forced=True)
        admin.compute.delete_server(server)
        admin.compute.wait_for_delete(server, interval=0.1, wait=30)
        code, printed = audited(local_stack)
        assert (code, printed["not_asked"]) == (0, [{"host": HOST, "why": "it is down"}])
    finally:
        os.kill(pid, signal.SIGCONT)
        admin.compute.update_service_forced_down(service, forced=False)

    comes_to(admin, there - 1)
    code, printed = audited(local_stack)
    assert (code, printed["disagreements"], printed["not_asked"]) == (0, [], [])
    assert HOST in printed["asked"]
