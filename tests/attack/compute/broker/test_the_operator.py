"""What an operator does about it."""

import openstack
import pytest

from mininova.db.denials import REST
from tests.fixtures import taken_over
from tests.fixtures.taken_over import TakenOver

ANNEX = "host-1.annex"


@pytest.fixture(autouse=True)
def unchanged():
    """Let the database change: the operator works on it."""


@pytest.fixture
def file(stack):
    """Name the configuration file of the second compute that is taken over."""
    return stack.home.etc / f"mininova-compute-{ANNEX}.conf"


def test_denials_are_listed(stack, attacker, world):
    """All that the conductor denied to the attacker so far is in the operator's list, a part of it counted together."""
    for _ in openstack.utils.iterate_timeout(60, "not all denials are listed", wait=0.2):
        listed = stack.tool("mininova-manage", "denials", "list")
        assert listed.returncode == 0, listed.stderr
        lines = [line for line in listed.stdout.splitlines() if attacker.user in line]
        if all(_has(lines, method, about) for method, about in world.denied):
            break


def _has(lines, method, about):
    return any(method in line and (about in line or REST in line) for line in lines)


@pytest.mark.sees("its connection ends, and its password is no good any more")
def test_rotate(stack, observe, file):
    """Goes on with its credentials after `mininova-manage host rotate`."""
    _is_shut_out(stack, observe, file, "rotate", "--config", file)
    taken_over.connect(taken_over.url_in(file)).close()


@pytest.mark.sees("its connection ends, and its user is gone")
def test_remove(stack, observe, file):
    """Goes on after `mininova-manage host remove`."""
    _is_shut_out(stack, observe, file, "remove")


def _is_shut_out(stack, observe, file, verb, *words):
    url = taken_over.url_in(file)
    attacker = TakenOver(url, ANNEX)
    done = stack.tool("mininova-manage", "host", verb, ANNEX, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.raises(taken_over.REFUSALS):
        attacker.ask("get_levels", {})
    attacker.connection.collect()
    with observe(caller=attacker.user):
        taken_over.connect(url)
