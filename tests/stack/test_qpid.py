"""A whole cloud on Qpid Broker-J: MININOVA_BROKER=qpid tools/stack.sh."""

import re

import pytest

from mininova.trust.broker import qpid
from tests.fixtures import taken_over


@pytest.fixture(scope="module")
def stack(make_stack, qpid_jars):
    """Start one with one compute; ``first_output`` is what its start printed."""
    made = make_stack(BROKER="qpid", COMPUTES="1")
    made.environment["QPID_JARS"] = str(qpid_jars)
    started = made.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    made.first_output = started.stdout
    return made


def manage(stack, *words):
    """Run mininova-manage, which must succeed."""
    done = stack.tool("mininova-manage", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_boot_is_active(stack):
    """Calls, casts, replies and notifications arrive, with the rights that each process needs and by the lanes."""
    assert re.search(r"^ +[\d.]+ s  Qpid: a node of its own, on 127\.0\.0\.1:\d+$", stack.first_output, re.MULTILINE)
    assert re.search(r"server first-boot is ACTIVE, 10\.0\.", stack.first_output)
    assert re.search(r"→ notifications +notification +compute\.instance\.create\.end", stack.first_output)


def test_a_boot_goes_on_after_the_broker_has_restarted(stack):
    """Queues, bindings, users and rights are there again, and each process reads where it read."""
    assert stack.sh("restart", "broker").returncode == 0
    stack.openstack("server", "create", "--flavor", "m1.tiny", "--image", "cirros", "--wait", "second")
    assert stack.openstack("server", "show", "second", "-f", "value", "-c", "status") == "ACTIVE\n"


def test_the_check_says_what_is_weaker_on_qpid(stack):
    """Users, rights and lanes are as they should be; what the broker itself does not keep is listed."""
    done = stack.tool("mininova-manage", "check")
    assert done.stdout.splitlines() == [f"weaker  {each}" for each in qpid.WEAKER]
    assert done.returncode == 2


def test_the_check_finds_what_a_compute_has_bound_and_undoes_it(stack):
    """It gets copies of all requests; a repair takes that binding away, and no other."""
    connection = taken_over.connect(taken_over.url_in(stack.home.etc / "mininova-compute-host-1.conf"))
    channel = connection.channel()
    channel.queue_bind("compute.host-1", "mininova", "#")
    connection.close()

    *weaker, found = stack.tool("mininova-manage", "check").stdout.splitlines()
    assert found.startswith("weaker  compute.host-1 gets what is sent to mininova as '#', and is not to")
    done = stack.tool("mininova-manage", "check", "--repair")
    assert done.stdout.splitlines() == weaker == [f"weaker  {each}" for each in qpid.WEAKER]


def test_a_compute_is_let_in_and_cut_off_while_the_broker_runs(stack):
    """What an operator does with RabbitMQ he does with Qpid, and it is there again when the broker has restarted."""
    assert stack.sh("add-compute", "host-9").returncode == 0
    file = stack.home.etc / "mininova-compute-host-9.conf"
    old = file.read_text()
    manage(stack, "host", "rotate", "host-9", "--config", file)
    assert file.read_text() != old

    for name in ("broker", "host-9"):
        assert stack.sh("restart", name).returncode == 0
    assert re.search(r"nova-compute +host-9 +nova +enabled +up", manage(stack, "service", "list"))

    assert "was cut off" in manage(stack, "host", "remove", "host-9")
    assert stack.sh("restart", "host-9").returncode == 1
