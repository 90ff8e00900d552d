"""One compute process that runs many hosts, on a real stack: its servers, its restart, and what it may not do.

Its boots wait for the network, so that what Neutron's stand-in tells Nova finds its way to the right host.
"""

import os
import signal

import openstack
import pytest
from stack import services
from stack.readiness import Readiness

from tests.fixtures import sdk, taken_over
from tests.fixtures.taken_over import REFUSALS, TakenOver

RACK, OTHER = "rack-1", "rack-2-1"
HOSTS = tuple(f"{RACK}-{number}" for number in (1, 2, 3))
PROGRAM = f"{services.COMPUTE}{RACK}"


@pytest.fixture(scope="module")
def stack(make_stack):
    """Start a stack of two compute processes with three hosts each."""
    made = make_stack(COMPUTES="2", HOSTS_PER_COMPUTE="3", BOOT="0", FLOW="0", VIF_EVENTS="1")
    started = made.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    yield made
    made.unstack("--clean")


@pytest.fixture(scope="module")
def admin(stack):
    """Give the SDK's connection as the admin, who may choose a host."""
    return sdk.connect(stack)


@pytest.fixture(scope="module")
def servers(admin):
    """Boot a server on each host of the rack: host → server."""
    flavor, image = admin.compute.find_flavor("m1.tiny"), admin.image.find_image("cirros")
    asked = {"flavor_id": flavor.id, "image_id": image.id, "networks": "auto"}
    made = {host: admin.compute.create_server(name=host, availability_zone=f"nova:{host}", **asked) for host in HOSTS}
    return {host: comes_to(admin, server, "ACTIVE") for host, server in made.items()}


def comes_to(admin, server, status):
    """Wait until a server is in a state, by asking, as a client has to."""
    server = sdk.at_rest(admin, server, ends=(status, "ERROR"))
    assert server.status == status, server.fault
    return server


@pytest.fixture
def attacker(stack, servers):
    """Give the password that an attacker finds in the process."""
    made = TakenOver(taken_over.url_in(services.compute_file(stack.home, RACK)), RACK)
    yield made
    made.close()


def test_one_process_runs_the_servers_of_all_its_hosts(stack, admin, servers):
    """Each host is a service and a hypervisor of its own, keeps its own guests, and is named in the log."""
    assert {host: server.compute_host for host, server in servers.items()} == {host: host for host in HOSTS}
    found = [service.host for service in admin.compute.services(binary="nova-compute") if service.state == "up"]
    assert sorted(found) == sorted([*HOSTS, *(f"rack-2-{number}" for number in (1, 2, 3))])
    assert [name for name in stack.pids() if name.startswith(services.COMPUTE)] == [
        PROGRAM,
        f"{services.COMPUTE}rack-2",
    ]
    for host, server in servers.items():
        (guest,) = (stack.home.hosts / RACK / "guests" / host).glob("*.json")
        assert guest.stem == server.id
        is_logged(stack, f" {host}] compute has booted instance {server.id}")


def is_logged(stack, line):
    """Wait until the process has written a line: a server is ACTIVE before its host has heard that it is."""
    for _ in openstack.utils.iterate_timeout(60, f"there is no line {line!r}", wait=0.1):
        if line in stack.home.log(PROGRAM).read_text():
            return


def test_each_host_hears_that_its_port_is_plugged(stack, admin, servers):
    """The network service told the Compute API, which told the instance's host: only then is a server ACTIVE."""
    for host, server in servers.items():
        (port,) = admin.network.ports(device_id=server.id)
        is_logged(stack, f" {host}] compute hears that port {port.id} of instance {server.id} is plugged: completed")


def test_a_host_publishes_in_its_own_name(stack, servers):
    """A listener gets each server's notifications from its host."""
    told = {}

    def hear(message):
        event = taken_over.payload_of(message)
        if event["event_type"] == "compute.instance.create.end":
            told[event["payload"]["instance_id"]] = event["publisher_id"]

    with taken_over.connect(taken_over.url_in(stack.home.etc / "mininova.conf")) as operator:
        operator.channel().basic_consume("notifications.info", no_ack=True, callback=hear)
        while len(told) < len(servers):  # what a compute tells waits for a moment on its way
            operator.drain_events(timeout=30)

    assert told == {server.id: f"compute.{host}" for host, server in servers.items()}


def test_a_killed_process_comes_back_with_all_its_guests(stack, admin, servers):
    """The supervisor restarts it; each host finds its guest, and does what was sent to it meanwhile."""
    supervisor = int((stack.home.run / "supervisord.pid").read_text())
    with Readiness(stack.home.run, [PROGRAM]) as readiness:
        os.kill(stack.pids()[PROGRAM], signal.SIGKILL)
        admin.compute.stop_server(servers[HOSTS[0]])
        list(readiness.wait({PROGRAM: supervisor}, 60))

    comes_to(admin, servers[HOSTS[0]], "SHUTOFF")
    for host in HOSTS[1:]:
        assert admin.compute.get_server(servers[host]).status == "ACTIVE"
        assert admin.compute.get_server_console_output(servers[host])["output"]


def test_it_may_use_the_queues_of_its_hosts(attacker):
    """The broker lets it declare each queue of its hosts, and none of another process or one of its own name."""
    for host in HOSTS:
        with attacker.channel() as channel:
            channel.queue_declare(f"compute.{host}", durable=True, auto_delete=False)
    for host in (OTHER, RACK, f"{RACK}-4", f"{RACK}-11"):
        with attacker.channel() as channel, pytest.raises(REFUSALS, match="ACCESS_REFUSED"):
            channel.queue_declare(f"compute.{host}", durable=True, auto_delete=False)


REACH = {
    "consume": lambda attacker, channel: channel.basic_consume(f"compute.{OTHER}"),
    "bind": lambda attacker, channel: channel.queue_bind(
        f"compute.{HOSTS[0]}", taken_over.EXCHANGE, f"compute.{OTHER}"
    ),
    "command": lambda attacker, channel: attacker.publish(
        f"compute.{OTHER}", taken_over.request("ping", {}), exchange=taken_over.EXCHANGE
    ),
}


@pytest.mark.parametrize("attempt", REACH)
def test_it_cannot_reach_a_host_that_is_not_in_its_list(attacker, attempt):
    """It can reach neither the host's queue, nor pass for that host."""
    with attacker.channel() as channel, pytest.raises(REFUSALS, match="ACCESS_REFUSED"):
        REACH[attempt](attacker, channel)


def test_the_conductor_serves_it_for_its_own_hosts_only(attacker, servers):
    """It gets the instances of each host in its list; of other hosts it may neither read nor report anything."""
    for host in HOSTS:
        (found,) = attacker.ask("get_instances", {"host": host}).result
        assert found["versioned_object.data"]["uuid"] == servers[host].id
    for host in (OTHER, RACK):
        answer = attacker.ask("get_instances", {"host": host})
        assert (answer.error, answer.user_id) == ("Forbidden", "conductor")
    service = taken_over.own_object("Service", binary="nova-compute", host=OTHER, topic="compute")
    node = taken_over.own_object("ComputeNode", host=OTHER, hypervisor_hostname=OTHER)
    assert attacker.ask("report_state", {"service": service, "node": node}).error == "Forbidden"


def test_a_host_that_was_not_given_to_it_is_refused_at_start(stack, tmp_path):
    """If an operator adds a host to the list, the error names it, and the command that allows it."""
    settings = tmp_path / "compute.conf"
    text = services.compute_file(stack.home, RACK).read_text()
    assert f"hosts = {RACK}-[1-3]\n" in text
    settings.write_text(text.replace(f"hosts = {RACK}-[1-3]\n", f"hosts = {OTHER}\n"))

    done = stack.tool("mininova-compute", "--config-file", settings)

    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    assert said.startswith("mininova-compute: compute.rack-1 may not reconcile_host host rack-2-1: it does not stand")
    assert "mininova-manage host add" in said
