"""Lying about a command that was given to it."""

import base64

import pytest

from tests.fixtures.taken_over import changed, own_object, reply

FAILURE = '{"class": "UnsupportedVersion", "module": "mininova.rpc.errors", "message": "so it says", "kwargs": {}}'


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is stopped and started."""


@pytest.fixture
def commands(attacker, world, service, node):
    """Give a function that stops or starts the attacker's server as its owner, and takes the command for it."""
    assert attacker.ask("report_state", {"service": service, "node": node}).failure is None

    def command(verb):
        world.act(world.servers[attacker.host], verb)
        return attacker.take(f"{verb}_instance")

    return command


@pytest.mark.sees("nothing: the server has moved on since, and is left alone")
def test_a_late_rejection(attacker, observe, commands, servers, rows):
    """Refuses a command that it has carried out, to put a server into ERROR to which other things happen now."""
    uuid = servers[attacker.host]
    stop = commands("stop")
    _did(attacker, stop, "stop", "stopped")
    start = commands("start")
    before = rows.instance(uuid)
    with observe.logged("mininova-api", uuid, "api drops the fault"):
        _reject(attacker, stop)
    assert rows.instance(uuid) == before
    _did(attacker, start, "start", "active")


@pytest.mark.sees("its answer, as it came the first time; nothing is written twice")
def test_its_last_update_again(attacker, observe, commands, rows):
    """Sends its last update a second time, as a host does that has lost the answer."""
    stop = commands("stop")
    _did(attacker, stop, "stop", "stopped")
    before = rows.all()
    with observe():
        _says(attacker, stop.payload["args"]["instance"], "stop", "stopped")
    assert rows.all() == before
    _did(attacker, commands("start"), "start", "active")


def test_the_end_of_theirs(attacker, observe, mine, world):
    """Says that another host's instance is gone, while that host is to delete it."""
    uuid = world.boot("to-be-deleted", "host-2")
    assert world.at_rest(uuid) == "ACTIVE"
    with world.holding_theirs():
        world.delete(uuid)
        pretended = changed(world.as_guessed(mine, uuid), host=attacker.host)
        with observe(uuid):
            attacker.ask("destroy_instance", {"instance": pretended})
        assert not world.rows.instance(uuid)["deleted"]
    world.wait_for_row(lambda: world.rows.instance(uuid)["deleted"], "the delete")


def _did(attacker, command, operation, vm_state):
    """Say that a command was carried out, as an honest host does."""
    answer = _says(attacker, command.payload["args"]["instance"], operation, vm_state)
    assert answer.failure is None, answer


def _says(attacker, instance, operation, vm_state):
    changes = own_object("InstanceChanges", vm_state=vm_state, task_state=None, power_state=1)
    return attacker.ask("update_instance", {"instance": instance, "operation": operation, "changes": changes})


def _reject(attacker, command):
    """Send a command back as one does that does not speak its version, with the seal that it came with."""
    rejected = base64.b64encode(command.body).decode()
    attacker.publish(
        command.reply_to, reply(command.message_id, failure=FAILURE, rejected=rejected),
        headers={"x-mininova-seal": command.headers["x-mininova-seal"]},
    )  # fmt: skip
