"""Lying about a command that was given to it."""

import base64

import pytest

from tests.fixtures.taken_over import own_object, payload_of, reply

FAILURE = '{"class": "UnsupportedVersion", "module": "mininova.rpc.errors", "message": "so it says", "kwargs": {}}'


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is stopped and started."""


@pytest.fixture
def commands(attacker, admin, servers, service, node):
    """Give a function that stops or starts the attacker's server as its owner, and takes the command for it."""
    assert attacker.ask("report_state", {"service": service, "node": node}).failure is None
    server = servers[attacker.host]

    def command(verb):
        getattr(admin.compute, f"{verb}_server")(server)
        return attacker.take(f"{verb}_instance")

    return command


@pytest.mark.attack(refused_by="api", sees="nothing: the server has moved on since, and is left alone")
def test_a_late_rejection(attacker, refused, commands, servers, rows):
    """Says that it cannot do what it was told before, and did, to put a server into ERROR that is at something else."""
    uuid = servers[attacker.host].id
    stop = commands("stop")
    _did(attacker, stop, "stop", "stopped")
    start = commands("start")
    before = rows.instance(uuid)
    with refused.by("mininova-api", uuid, "drops the fault"):
        _reject(attacker, stop)
    assert rows.instance(uuid) == before
    _did(attacker, start, "start", "active")


def _did(attacker, command, operation, vm_state):
    """Say that a command was carried out."""
    changes = own_object("InstanceChanges", vm_state=vm_state, task_state=None, power_state=1)
    told = {"instance": payload_of(command)["args"]["instance"], "operation": operation, "changes": changes}
    answer = attacker.ask("update_instance", told)
    assert answer.failure is None, answer


def _reject(attacker, command):
    """Send a command back as one does that does not speak its version, with the seal that it came with."""
    sent = command.properties
    body = command.body if isinstance(command.body, bytes) else command.body.encode()
    rejected = base64.b64encode(body).decode()
    attacker.publish(
        sent["reply_to"], reply(sent["message_id"], failure=FAILURE, rejected=rejected),
        headers={"x-mininova-seal": command.headers["x-mininova-seal"]},
    )  # fmt: skip
