"""Lying about a build that was given to it."""

from datetime import UTC, datetime

import pytest

from tests.fixtures.taken_over import changed, own_object, request

FAULT = own_object("Fault", code=500, message="no room, says the attacker")


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is built."""


@pytest.fixture
def given(attacker, world, service, node):
    """Boot a server on the attacker's host, and take the command to build it: a user may choose such a host."""
    assert attacker.ask("report_state", {"service": service, "node": node}).failure is None
    uuid = world.boot("given-to-the-attacker", attacker.host)
    command = attacker.take("build_instance")
    assert command.user_id == "conductor"
    yield uuid, command.payload["args"]["instance"]
    row = world.rows.instance(uuid)
    if row["deleted"]:
        return
    if row["host"] == attacker.host:
        _deleted(attacker, world, uuid)
    else:
        world.delete(uuid, wait=True)


@pytest.mark.sees("nothing: flavor, project and hosts come from the database")
@pytest.mark.parametrize("lie", ["project", "flavor", "zone"])
def test_another_request(attacker, observe, given, world, lie):
    """Gives its build back as an instance of another flavor or another project, or in a zone of its choice."""
    uuid, instance = given
    before = world.rows.instance(uuid)
    flavor = instance["versioned_object.data"]["flavor"]["versioned_object.data"]
    lied = {
        "project": {"project_id": "another"},
        "flavor": {"flavor": own_object("Flavor", **{**flavor, "vcpus": 64})},
        "zone": {"availability_zone": "gold"},
    }[lie]
    with observe():
        args = {"instance": changed(instance, **lied), "fault": FAULT}
        attacker.publish("conductor", request("reschedule_instance", args, _msg_id=None))
    status, after = world.at_rest(uuid), world.rows.instance(uuid)
    kept = ("flavor", "flavor_id", "project_id", "user_id", "image_ref")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["availability_zone"] != "gold"
    assert (status, after["host"]) == ("ERROR", None) or after["host"] != attacker.host
    allocated = world.rows.read("SELECT * FROM allocations WHERE instance_uuid = ?", uuid)
    assert all(row["vcpus"] == 1 for row in allocated)


@pytest.mark.parametrize("generation", [0, 1])
def test_what_no_host_has(attacker, observe, mine, world, generation):
    """Gives back an instance that no host was found for, as if that had been built on its host."""
    uuid = world.boot("homeless", f"{attacker.host}:no-such-node")
    assert (world.at_rest(uuid), world.rows.instance(uuid)["host"]) == ("ERROR", None)
    before = world.rows.all()
    pretended = changed(world.as_guessed(mine, uuid), host=attacker.host, generation=generation)
    with observe(uuid):
        attacker.cast("reschedule_instance", {"instance": pretended, "fault": FAULT})
    assert world.rows.all() == before
    world.delete(uuid, wait=True)


def test_a_delete_wins(attacker, observe, given, world):
    """Goes on with its build, and ends it well, after its owner has deleted the server."""
    uuid, instance = given
    world.delete(uuid)
    changes = own_object("InstanceChanges", vm_state="active", task_state=None, power_state=1)
    with observe():
        attacker.ask("update_instance", {"instance": instance, "operation": "build", "changes": changes})
    assert world.rows.instance(uuid)["vm_state"] != "active"


@pytest.mark.parametrize(
    "fields",
    [
        {"vm_state": "active"},
        {"vm_state": "stopped", "task_state": None},
        {"task_state": "powering-off"},
        {"vm_state": "deleted", "task_state": None},
    ],
    ids=str,
)
def test_out_of_order(attacker, observe, given, fields):
    """Writes a state to which a build does not lead."""
    uuid, instance = given
    changes = own_object("InstanceChanges", **fields)
    with observe(uuid):
        attacker.ask("update_instance", {"instance": instance, "operation": "build", "changes": changes})


@pytest.mark.parametrize("launched_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_when_it_was_launched(attacker, observe, given, launched_at):
    """Says that what it built was launched before it was asked for, or in years to come: its owner would pay."""
    uuid, instance = given
    spawning = _built_as_it_says(attacker, instance)
    with observe(uuid):
        _ends(attacker, spawning, launched_at)


@pytest.mark.sees("it is written: a user sees a server that is ACTIVE, and cannot reach it")
def test_a_build_that_was_none(attacker, observe, given, world):
    """Says that it built a server which it did not build; and, when it is to delete it, that it did."""
    uuid, instance = given
    spawning = _built_as_it_says(attacker, instance)
    with observe():
        _ends(attacker, spawning, datetime.now(UTC).isoformat())
    assert world.at_rest(uuid) == "ACTIVE"
    with observe():
        _deleted(attacker, world, uuid)
    assert world.rows.instance(uuid)["deleted"]


def _deleted(attacker, world, uuid):
    """Have a server deleted, and say that its guest is gone."""
    world.delete(uuid)
    told = attacker.take("delete_instance").payload["args"]["instance"]
    assert attacker.ask("destroy_instance", {"instance": told}).failure is None


def _built_as_it_says(attacker, instance):
    """Go through the steps of a build, without building anything."""
    instance = attacker.ask("allocate_network", {"instance": instance}).result
    for step in ("block_device_mapping", "spawning"):
        changes = own_object("InstanceChanges", task_state=step)
        told = {"instance": instance, "operation": "build", "changes": changes}
        instance = attacker.ask("update_instance", told).result
    return instance


def _ends(attacker, instance, launched_at):
    fields = {"vm_state": "active", "task_state": None, "power_state": 1, "launched_at": launched_at}
    changes = own_object("InstanceChanges", **fields)
    return attacker.ask("update_instance", {"instance": instance, "operation": "build", "changes": changes})
