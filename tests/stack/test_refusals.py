"""A service that cannot run says why in one line, and ends with a code that is not 0."""

import re
import sqlite3
from contextlib import closing

import pytest


@pytest.fixture
def refused(local_stack, tmp_path):
    """Give a function that starts a service with changed settings, and gives the one line that it prints. The service
    starts beside the running stack; ``changes`` are replacements in the text of its file.
    """

    def run(service, *changes, file="mininova.conf", append=""):
        text = without_metrics((local_stack.home.etc / file).read_text())
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        config = tmp_path / file
        config.write_text(text + append)
        done = local_stack.tool(f"mininova-{service}", *_files(local_stack, service, config))
        assert done.returncode not in (0, None)
        assert "Traceback" not in done.stderr
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"mininova-{service}: ")
        return line

    return run


COMPUTE = "mininova-compute-host-1.conf"


def without_metrics(text):
    """Remove the port of the metrics, which the running service has."""
    return re.sub(r"^\[metrics\]\n(.+\n)*", "", text, flags=re.MULTILINE)


def _files(stack, service, config):
    """Name the files of a service: ``config``, and those that it reads beside it."""
    if service == "compute":
        files = [config]
    elif config.name == "mininova.conf":
        own = config.with_name(f"mininova-{service}.conf")
        own.write_text(without_metrics((stack.home.etc / own.name).read_text()))
        files = [config, own]
    else:
        files = [stack.home.etc / "mininova.conf", config]
    return [word for path in files for word in ("--config-file", str(path))]


def test_a_compute_with_malformed_hosts(refused):
    """The error quotes the text, and says how hosts are written."""
    line = refused("compute", file=COMPUTE, append="\n[compute]\nhosts = edge, node-[1-\n")
    assert "hosts" in line
    assert "'node-[1-' is no range of hosts: write them like edge, node-[0001-1000]" in line


def test_a_compute_with_a_database_section(refused):
    """A compute refuses a [database] section, and quotes it."""
    assert "[database]" in refused("compute", file=COMPUTE, append="\n[database]\nconnection = sqlite:///x\n")


@pytest.mark.parametrize("service", ["api", "scheduler", "conductor"])
def test_an_unknown_option(refused, service):
    """The error quotes an unknown option, with its file."""
    line = refused(service, append="\n[flow]\nenabeld = true\n")

    assert "enabeld" in line
    assert "mininova.conf" in line


@pytest.mark.parametrize(
    ("service", "setting", "said"),
    [
        (
            "scheduler",
            "[filter_scheduler]\nenabled_filters = SpareFilter",
            "SpareFilter is no filter; there are AggregateImagePropertiesIsolation, ",
        ),
        (
            "scheduler",
            "[filter_scheduler]\nenabled_weighers = Spare",
            "Spare is no weigher; there are BuildFailureWeigher, ",
        ),
        (
            "conductor",
            "[oslo_messaging_notifications]\ndriver = pigeon",
            "pigeon is no notification driver",
        ),
        ("compute", "[DEFAULT]\ncompute_driver = libvirt", "libvirt is no hypervisor driver; there are fake"),
    ],
)
def test_an_unknown_plug_in(refused, service, setting, said):
    """The error lists the known classes."""
    file = COMPUTE if service == "compute" else "mininova.conf"
    assert said in refused(service, file=file, append=f"\n{setting}\n")


def test_a_bad_url(refused, local_stack):
    """The error quotes the malformed URL of a broker."""
    changed = ("transport_url = amqp:", "transport_url = amqb:")
    assert "transport_url" in refused("scheduler", changed, file="mininova-scheduler.conf")


def test_a_port_in_use(refused):
    """The error of a second api on the same port names the option to change."""
    assert "[api] port" in refused("api")


@pytest.mark.parametrize("service", ["scheduler", "conductor", "compute"])
def test_a_password_that_is_wrong(refused, service):
    """A service that the broker refuses does not wait: the error names the broker, and no password."""
    file = COMPUTE if service == "compute" else f"mininova-{service}.conf"
    line = refused(service, ("@127.0.0.1", "x@127.0.0.1"), file=file)

    assert "no broker lets us in at 127.0.0.1" in line
    assert "ACCESS_REFUSED" in line


@pytest.mark.parametrize(
    ("service", "change", "words"),
    [
        (
            "conductor",
            "UPDATE alembic_version SET version_num = '9999'",
            "newer than this code: its schema of nova is 9999",
        ),
        ("api", "DROP TABLE alembic_version_keystone", "has no tables of keystone. Run: mininova-manage db upgrade"),
    ],
)
def test_a_database_of_another_version(refused, local_stack, tmp_path, service, change, words):
    """The error says that the tables are not those that the service needs."""
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(local_stack.home.database)) as original, closing(sqlite3.connect(copy)) as made:
        original.backup(made)
        made.execute(change)
        made.commit()

    other_port = [(f"port = {local_stack.environment['MININOVA_API_PORT']}", "port = 0")]
    assert words in refused(service, (str(local_stack.home.database), str(copy)), *other_port)


def test_an_empty_database(refused, local_stack, tmp_path):
    """The error has the command that makes the tables."""
    line = refused("scheduler", (str(local_stack.home.database), str(tmp_path / "empty.sqlite")))

    assert "mininova-manage db upgrade" in line
