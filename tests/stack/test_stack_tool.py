"""tools/stack.sh and tools/unstack.sh: what they start, what they leave alone, and what they print."""

import os
import re
from pathlib import Path

import pytest
from stack import processes, services, settings
from stack.supervisor import Supervisor


def test_a_second_start_says_that_it_is_up(local_stack):
    """Running the script again changes nothing and says so."""
    before = local_stack.pids()
    again = local_stack.sh()

    assert again.returncode == 0
    assert "up already" in again.stdout
    assert local_stack.pids() == before


def test_nothing_listens_beyond_the_loopback_address(local_stack):
    """Every TCP listener is bound to 127.0.0.1: AMQP, Erlang, HTTP, the page of the flow, and the metrics."""
    listeners = listening(processes.of(local_stack.home.root))
    metrics = services.metrics_ports(settings.load(local_stack.home))

    assert {address for address, _ in listeners} == {"127.0.0.1"}
    assert len(listeners) == 4 + len(metrics)


def listening(pids):
    """Read from /proc on which addresses and ports these processes listen."""
    sockets = {link for pid in pids for link in links(Path(f"/proc/{pid}/fd"))}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, state, inode = fields[1], fields[3], fields[9]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                found.add(endpoint(local))
    return found


def links(folder):
    """List the open files of a process."""
    for entry in os.scandir(folder):
        try:
            yield os.readlink(entry.path)
        except OSError:  # closed meanwhile
            continue


def endpoint(text):
    """Read an address and port from /proc/net/tcp; for IPv6 only whether it is the loopback."""
    address, port = text.split(":")
    parts = [str(int(address[index : index + 2], 16)) for index in (6, 4, 2, 0)]
    return ".".join(parts) if len(address) == 8 else f"IPv6 {address}", int(port, 16)


def test_status_lists_the_processes(local_stack):
    """Each program has a line with its state and its pid."""
    status = local_stack.sh("status")

    assert status.returncode == 0
    for name, pid in local_stack.pids().items():
        assert re.search(rf"^{name} +running +{pid} ", status.stdout, re.MULTILINE), status.stdout


@pytest.mark.parametrize("name", ["mininova-api", "api", "host-1", "broker"])
def test_logs_are_shown_by_any_name_that_is_clear(local_stack, name):
    """A service is known by its full name, and by the part of it that says which it is."""
    shown = local_stack.sh("logs", name)

    assert shown.returncode == 0
    assert shown.stdout.strip()


def test_an_unknown_name_is_refused_in_a_line(local_stack):
    """An unknown service, command or option is one line and an exit code, without a traceback."""
    for words in (
        ("logs", "nova-volume"),
        ("restart",),
        ("fly",),
        ("add-compute", "Not A Name"),
        ("add-compute", "a.dead"),
    ):
        refused = local_stack.sh(*words)
        assert refused.returncode != 0
        assert refused.stderr.startswith("tools/stack.sh")
        assert len(refused.stderr.splitlines()) == 1
    assert local_stack.unstack("--cleen").returncode != 0


def test_a_restarted_service_is_another_process(local_stack):
    """Restart returns when the new process is up."""
    before = local_stack.pids()["mininova-scheduler"]
    done = local_stack.sh("restart", "scheduler")

    assert done.returncode == 0, done.stderr
    assert "mininova-scheduler is up again" in done.stdout
    assert local_stack.pids()["mininova-scheduler"] != before


def test_a_start_names_the_service_that_is_down(local_stack):
    """When a program does not run, a start says which, and its advice helps."""
    Supervisor(local_stack.home).stop(["mininova-flow"])

    refused = local_stack.sh()

    assert refused.returncode == 1
    assert "tools/stack.sh restart mininova-flow" in refused.stderr
    assert local_stack.sh("status").returncode == 1
    assert local_stack.sh("restart", "flow").returncode == 0
    assert local_stack.sh().returncode == 0


def test_an_added_compute_takes_servers(local_stack, admin):
    """An added compute is a hypervisor at once."""
    done = local_stack.sh("add-compute", "edge-1")

    assert done.returncode == 0, done.stderr
    assert "edge-1" in [host.name for host in admin.compute.hypervisors()]
    assert local_stack.tool("mininova-manage", "check").returncode == 0
    assert "already" in local_stack.sh("add-compute", "edge-1").stderr


def test_two_stacks_run_side_by_side(local_stack, make_stack):
    """A stack with another home and other ports starts beside the first; its end, and only its own, leaves no process.

    Started again over what it left, it has its server still, and with --clean nothing remains of it.
    """
    other = make_stack(COMPUTES="1", BOOT="0", FLOW="0")
    assert other.sh().returncode == 0
    other.openstack("server", "create", "--flavor", "m1.tiny", "--image", "cirros", "--wait", "elsewhere")
    first = local_stack.pids()

    stopped = other.unstack()

    assert stopped.returncode == 0
    assert processes.of(other.home.root) == {}
    assert local_stack.pids() == first
    assert other.sh("status").returncode == 3
    assert "Nothing was running" in other.unstack().stdout

    assert other.sh().returncode == 0
    (server,) = other.openstack_json("server", "list")
    assert (server["Name"], server["Status"]) == ("elsewhere", "ACTIVE")

    assert other.unstack("--clean").returncode == 0
    assert processes.of(other.home.root) == {}
    assert not other.home.root.exists()
