"""What Prometheus reads of a real stack: the counters of a boot, only at the configured ports."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import openstack
import pytest
from prometheus_client.parser import text_string_to_metric_families
from stack import ports, readiness, services, settings

from tests.fixtures.local_stack import VENV, run

PREFIX = "mininova_rpc_"


class Scrape:
    """The metrics of all services of a stack at one moment."""

    def __init__(self, stack):
        self.samples = []
        for name, port in services.metrics_ports(settings.load(stack.home)).items():
            with urlopen(f"http://{ports.LOOPBACK}:{port}/metrics", timeout=30) as answer:
                families = text_string_to_metric_families(answer.read().decode())
            self.samples += [(name, sample) for family in families for sample in family.samples]

    def total(self, service, metric, **labels):
        """Add up the values of one metric in the services whose names begin so."""
        return sum(
            sample.value
            for name, sample in self.samples
            if name.startswith(f"mininova-{service}")
            and sample.name == PREFIX + metric
            and labels.items() <= sample.labels.items()
        )


def test_a_boot_is_counted_where_it_passes(local_stack, boot):
    """The api, the conductor and a compute each count their part of the boot."""
    before = Scrape(local_stack)
    (server,) = boot("metered")
    assert server.status == "ACTIVE"
    update = {"method": "update_instance", "outcome": "ok"}

    def more(service, metric, **labels):
        return after.total(service, metric, **labels) - before.total(service, metric, **labels)

    # The server is ACTIVE before the conductor has counted the last update, and that before the compute has.
    # It may be before the conductor has counted that it sent the build, too.
    build = {"method": "build_instances", "outcome": "ok"}
    for _ in openstack.utils.iterate_timeout(60, "the last update is not counted", wait=0.1):
        after = Scrape(local_stack)
        updates = more("compute", "call_duration_seconds_count", **update)
        handled = [more("conductor", "handler_duration_seconds_count", **each) for each in (update, build)]
        if handled == [updates, 1] and updates >= 3:
            break

    assert more("api", "sent_total", interface="conductor", method="build_instances", pattern="cast") == 1
    assert more("conductor", "call_duration_seconds_count", method="select_destinations", outcome="ok") == 1
    assert more("scheduler", "handler_duration_seconds_count", method="select_destinations", outcome="ok") == 1
    assert more("compute", "received_total", method="build_instance") == 1


def test_a_service_shows_what_its_process_uses(local_stack):
    """Memory and processor time have the names that dashboards use."""
    names = {sample.name for name, sample in Scrape(local_stack).samples if name == "mininova-conductor"}

    assert names >= {"process_resident_memory_bytes", "process_cpu_seconds_total", "python_info"}
    assert not [name for name in names if name.endswith("_created")]


def test_there_is_nothing_else_at_that_port(local_stack):
    """The port serves one path, and an error names it."""
    port = next(iter(services.metrics_ports(settings.load(local_stack.home)).values()))

    with pytest.raises(HTTPError, match="404") as refused:
        urlopen(f"http://{ports.LOOPBACK}:{port}/", timeout=30)
    assert b"/metrics" in refused.value.read()


def test_a_port_that_is_taken_is_an_error(local_stack):
    """A second service with the settings of the first does not start, and names the setting."""
    etc = local_stack.home.etc
    files = ("--config-file", etc / "mininova.conf", "--config-file", etc / "mininova-scheduler.conf")

    refused = run([VENV / "mininova-scheduler", *files], local_stack.environment)

    assert refused.returncode == 2
    assert "[metrics] port = " in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_without_a_port_a_service_listens_nowhere(local_stack, tmp_path):
    """Metrics are off unless a port is named."""
    etc, own = local_stack.home.etc, tmp_path / "mininova-scheduler.conf"
    own.write_text((etc / own.name).read_text().partition("[metrics]")[0])
    with readiness.Readiness(tmp_path, ["scheduler"]) as up:
        environment = {**os.environ, readiness.VARIABLE: str(readiness.socket_path(tmp_path, "scheduler"))}
        command = [VENV / "mininova-scheduler", "--config-file", etc / "mininova.conf", "--config-file", own]
        with subprocess.Popen(command, env=environment) as scheduler:
            try:
                assert list(up.wait({"scheduler": scheduler.pid}, 60)) == ["scheduler"]
                assert listening(scheduler.pid) == set()
                assert listening(local_stack.pids()["mininova-scheduler"])
            finally:
                scheduler.send_signal(signal.SIGTERM)


def listening(pid):
    """Give the sockets on which a process listens."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = {f"socket:[{field[9]}]" for field in fields if field[3] == "0A"}
    return {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists() or fd.is_symlink()} & waiting
