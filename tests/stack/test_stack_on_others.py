"""tools/stack.sh on a broker and a database that run already, without its supervisor; and starts that are refused."""

import os
import signal
import socket
from contextlib import closing
from types import SimpleNamespace

import pytest
from kombu import Connection
from stack import ports, processes

from tests.fixtures import sdk


@pytest.fixture(scope="module")
def given(virtual_host, tmp_path_factory):
    """Name a broker that runs, and a file for a database."""
    return SimpleNamespace(broker=virtual_host, database=tmp_path_factory.mktemp("given") / "elsewhere.sqlite")


@pytest.fixture(scope="module")
def guest(make_stack, given):
    """Start a stack with URLs for both; ``first_output`` is what its start printed."""
    stack = make_stack(COMPUTES="1", BOOT="0", FLOW="0", BROKER_URL=given.broker, DB_URL=f"sqlite:///{given.database}")
    started = stack.sh()
    assert started.returncode == 0, started.stderr
    stack.first_output = started.stdout
    return stack


def test_an_existing_broker_and_database_are_used(guest):
    """With URLs for both a stack runs neither, boots, and says what is weaker."""
    cloud = sdk.connect(guest, "mininova")
    flavor, image = cloud.compute.find_flavor("m1.tiny"), cloud.image.find_image("cirros")
    server = cloud.compute.create_server(name="guest", flavor_id=flavor.id, image_id=image.id, networks="auto")
    assert sdk.at_rest(cloud, server).status == "ACTIVE"
    assert "enforce = false" in guest.first_output
    assert "enforce = false" in (guest.home.etc / "mininova-compute-host-1.conf").read_text()
    assert "rabbitmq" not in guest.pids()


def test_a_lost_supervisor_is_noticed_and_cleared_up(guest):
    """When the supervisor is killed, a start lists what still runs, and unstack ends it."""
    supervisor = int((guest.home.run / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    processes.wait_ended([supervisor], 10)

    refused = guest.sh()

    assert refused.returncode == 1
    assert "tools/unstack.sh" in refused.stderr
    assert guest.unstack().returncode == 0
    assert processes.of(guest.home.root) == {}


def test_what_a_stack_was_given_outlives_it(guest, given):
    """At its end, with --clean, too, it leaves the broker and the database alone."""
    assert guest.unstack("--clean").returncode == 0
    assert given.database.exists()
    with Connection(given.broker) as connection:
        connection.connect()


# ---- refusals of a start


def refuse(stack, **variables):
    """Start a stack that cannot start, and give its one line; nothing of it may be left."""
    refused = stack.sh(**variables)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert processes.of(stack.home.root) == {}
    (line,) = refused.stderr.splitlines()
    return line


def test_a_port_in_use_is_named_with_its_option(make_stack):
    """The error has the port and the variable that changes it."""
    with closing(socket.create_server((ports.LOOPBACK, 0))) as listener:
        taken = str(listener.getsockname()[1])
        line = refuse(make_stack(API_PORT=taken))
        assert (f"Port {taken}" in line, "MININOVA_API_PORT" in line) == (True, True)
        assert "MININOVA_BROKER_PORT" in refuse(make_stack(BROKER_PORT=taken))


def test_a_broker_that_is_not_there_is_refused(make_stack):
    """The error has the URL without the password."""
    port = ports.pick()
    line = refuse(make_stack(BROKER_URL=f"amqp://me:hush@127.0.0.1:{port}/"))

    assert f"127.0.0.1:{port}" in line
    assert "hush" not in line


def test_a_broker_that_refuses_the_login_is_refused(make_stack, private_broker):
    """The error is the service's own."""
    url = private_broker.url.replace("mininova:", "mininova:not-", 1)

    assert "mininova-" in refuse(make_stack(BROKER_URL=url, COMPUTES="1", FLOW="0"))


def test_a_database_that_is_not_there_is_refused(make_stack, private_broker):
    """The error has the URL without the password."""
    url = f"mysql+pymysql://nova:hush@127.0.0.1:{ports.pick()}/nova"
    line = refuse(make_stack(DB_URL=url, BROKER_URL=private_broker.url))

    assert "hush" not in line


def test_a_home_of_others_is_refused(make_stack):
    """A folder with other files is not used, and unstack --clean does not remove it."""
    stack = make_stack()
    (stack.home.root / "diary.txt").write_text("dear diary")

    assert "MININOVA_HOME" in refuse(stack)
    assert stack.unstack("--clean").returncode == 1
    assert (stack.home.root / "diary.txt").exists()
