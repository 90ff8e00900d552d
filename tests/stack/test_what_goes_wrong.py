"""Boots with failures: hosts that fail, a broker that is killed, a compute that restarts."""

import os
import signal

import pytest
import requests
from requests.adapters import HTTPAdapter
from stack import brokers, services
from stack.readiness import Readiness
from stack.supervisor import Supervisor
from urllib3.util import Retry


@pytest.fixture
def behave(local_stack):
    """Give a function that sets the behaviour of the fake hypervisors, until the end of the test."""
    file = services.behaviour(local_stack.home)
    before = file.read_text()
    yield file.write_text
    file.write_text(before)


def hosts(admin, servers):
    """Give the host of each server."""
    return [admin.compute.get_server(server.id).compute_host for server in servers]


def test_many_at_once(boot, admin):
    """A request for four servers gives four numbered ones, spread over the hosts, each with its own address."""
    servers = boot("crowd", min_count=4, max_count=4)

    assert sorted(server.name for server in servers) == ["crowd-1", "crowd-2", "crowd-3", "crowd-4"]
    assert {server.status for server in servers} == {"ACTIVE"}
    assert len(set(hosts(admin, servers))) > 1
    assert len({server.addresses["flat"][0]["addr"] for server in servers}) == 4


def test_a_failed_spawn_is_tried_elsewhere(local_stack, boot, behave, admin):
    """Servers that one host cannot spawn run on another, and the flow shows the failed attempt."""
    behave("rules: [{hosts: host-1, operation: spawn, failure: {message: disk full}}]\n")
    servers = boot("retried", min_count=8, max_count=8)  # more than there are hosts, so that each is tried

    assert {server.status for server in servers} == {"ACTIVE"}
    assert "host-1" not in hosts(admin, servers)
    flow = local_stack.tool("mininova-flow", "show", servers[0].id).stdout
    assert "compute.instance.create.error" in flow


def test_when_every_host_fails_the_user_reads_why(boot, behave):
    """After the last attempt the server is in ERROR, with a fault that has the host's error."""
    behave("rules: [{operation: spawn, failure: {message: disk full}}]\n")
    (server,) = boot("hopeless")

    assert server.status == "ERROR"
    assert "disk full" in server.fault["message"]


def test_a_server_that_fits_nowhere_says_so(boot, cloud):
    """A server whose flavor fits on no host is in ERROR, with a fault that says so."""
    flavor = cloud.compute.find_flavor("m1.xlarge")
    servers = boot("giant", flavor_id=flavor.id, min_count=6, max_count=6)

    assert {server.status for server in servers} == {"ERROR"}
    assert all("No valid host was found" in server.fault["message"] for server in servers)


def test_a_killed_broker_comes_back_and_boots_go_on(local_stack, boot):
    """The supervisor restarts a killed broker; the services connect again, and the next boot works."""
    pids, name = local_stack.pids(), brokers.RABBITMQ
    supervisor = int((local_stack.home.run / "supervisord.pid").read_text())
    with Readiness(local_stack.home.run, [name]) as readiness:
        os.kill(pids[name], signal.SIGKILL)
        list(readiness.wait({name: supervisor}, 60))
    (server,) = boot("after-the-crash")

    after = local_stack.pids()
    assert after.pop(name) != pids.pop(name)
    assert after == pids
    assert server.status == "ACTIVE"


def test_services_that_start_without_a_broker_wait_for_it(local_stack, boot):
    """They say once that they wait, the api and mininova-manage say what is missing, and all goes on by itself."""
    supervisor = Supervisor(local_stack.home)
    waiting = ["mininova-api", "mininova-conductor", "mininova-compute-host-1"]
    health = f"http://127.0.0.1:{local_stack.environment['MININOVA_API_PORT']}/healthcheck"
    with Readiness(local_stack.home.run, [*waiting, brokers.RABBITMQ]) as readiness:
        supervisor.stop(waiting)
        supervisor.stop([brokers.RABBITMQ])
        pids = supervisor.start(waiting)
        answer = asked(health)
        status = local_stack.tool("mininova-manage", "status")
        pids |= supervisor.start([brokers.RABBITMQ])
        list(readiness.wait(pids, 60))
    (server,) = boot("after-the-wait")

    assert (answer.status_code, answer.json()["reasons"]) == (503, ["waiting for the broker"])
    assert (status.returncode, "broker" in status.stdout, "down" in status.stdout) == (2, True, True)
    assert (server.status, asked(health).status_code) == ("ACTIVE", 200)
    assert local_stack.tool("mininova-manage", "status").returncode == 0
    log = local_stack.home.log("mininova-conductor").read_text()
    assert log.rpartition("connecting to the broker: it worked after")[0].count("trying again until it works") == 1


def asked(url):
    """Ask an api that has just been started for its health, as soon as it listens."""
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(300, backoff_factor=0.1, backoff_max=0.2)))
        return session.get(url, headers={"Accept": "application/json"}, timeout=30)


def test_guests_outlive_their_compute(local_stack, boot, admin, cloud):
    """A restarted compute finds its guests running, and can read their consoles."""
    (server,) = boot("survivor")
    (host,) = hosts(admin, [server])

    assert local_stack.sh("restart", host).returncode == 0

    assert cloud.compute.get_server(server.id).status == "ACTIVE"
    assert "survivor" in cloud.compute.get_server_console_output(server.id)["output"]


def test_a_killed_service_is_started_again(local_stack, boot):
    """The supervisor restarts a killed conductor, and boots work as before."""
    name = "mininova-conductor"
    before = local_stack.pids()[name]
    supervisor = int((local_stack.home.run / "supervisord.pid").read_text())
    with Readiness(local_stack.home.run, [name]) as readiness:
        os.kill(before, signal.SIGKILL)
        list(readiness.wait({name: supervisor}, 60))
    (server,) = boot("conducted-again")

    assert server.status == "ACTIVE"
    assert local_stack.pids()[name] != before
