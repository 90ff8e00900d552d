"""Lying about a build that was given to it."""

from datetime import UTC, datetime

import pytest

from tests.fixtures.taken_over import changed, own_object, payload_of, request

FAULT = own_object("Fault", code=500, message="no room, says the attacker")


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is built."""


@pytest.fixture
def given(attacker, boot, admin, rows, service, node):
    """Boot a server on the attacker's host, and take the command to build it: a user may choose such a host."""
    assert attacker.ask("report_state", {"service": service, "node": node}).failure is None
    server = boot("given-to-the-attacker", attacker.host)
    message = attacker.take("build_instance")
    assert message.properties["user_id"] == "conductor"
    yield server, payload_of(message)["args"]
    row = rows.instance(server.id)
    if row["host"] == attacker.host and not row["deleted"]:
        _deleted(attacker, admin, server)
    else:
        admin.compute.delete_server(server)
        admin.compute.wait_for_delete(server, interval=0.1, wait=10)


@pytest.mark.attack(refused_by="conductor", sees="nothing: flavor, project and hosts come from the database")
def test_another_request(attacker, refused, given, rows, admin, at_rest):
    """Gives its build back as an instance of another flavor and another project, in a zone of its choice."""
    server, args = given
    before = rows.instance(server.id)
    instance = args["instance"]
    flavor = own_object(
        "Flavor", **{**instance["versioned_object.data"]["flavor"]["versioned_object.data"], "vcpus": 64}
    )
    lied = changed(instance, flavor=flavor, project_id="another", availability_zone="gold")
    attacker.publish("conductor", _cast({"instance": lied, "fault": FAULT}))
    rested = at_rest(server)
    after = rows.instance(server.id)
    kept = ("flavor", "flavor_id", "project_id", "user_id", "image_ref")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["availability_zone"] != "gold"
    assert (rested.status, after["host"]) == ("ERROR", None) or after["host"] != attacker.host
    allocated = rows.read("SELECT * FROM allocations WHERE instance_uuid = ?", server.id)
    assert all(row["vcpus"] == 1 for row in allocated)
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`InstanceUpdateConflict`")
def test_a_delete_wins(attacker, refused, given, admin, rows):
    """Goes on with its build, and ends it well, after its owner has deleted the server."""
    server, args = given
    admin.compute.delete_server(server)
    changes = own_object("InstanceChanges", vm_state="active", task_state=None, power_state=1)
    told = {"instance": args["instance"], "operation": "build", "changes": changes}
    answer = attacker.ask("update_instance", told)
    assert answer.error in ("InstanceUpdateConflict", "InstanceBeingDeleted", "Forbidden"), answer
    assert rows.instance(server.id)["vm_state"] != "active"
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
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
def test_out_of_order(attacker, refused, given, fields):
    """Brings its build where a build does not lead."""
    server, args = given
    told = {"instance": args["instance"], "operation": "build", "changes": own_object("InstanceChanges", **fields)}
    refused.by_conductor(attacker.ask("update_instance", told), "update_instance", server.id)


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize("launched_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_when_it_was_launched(attacker, refused, given, launched_at):
    """Says that what it built was launched before anybody asked for it, or in years to come: its owner would pay."""
    server, args = given
    spawning = _built_as_it_says(attacker, args["instance"])
    answer = _ends(attacker, spawning, launched_at)
    refused.by_conductor(answer, "update_instance", server.id)


@pytest.mark.attack(refused_by="nobody", sees="it is written: a user sees a server that is ACTIVE, and reaches none")
def test_a_build_that_was_none(attacker, refused, given, at_rest, admin, rows):
    """Says that it built a server that was given to it, which it did not; and that it deleted it, when it is to."""
    server, args = given
    spawning = _built_as_it_says(attacker, args["instance"])
    assert _ends(attacker, spawning, datetime.now(UTC).isoformat()).failure is None
    assert at_rest(server).status == "ACTIVE"
    _deleted(attacker, admin, server)
    assert rows.instance(server.id)["deleted"]
    refused.seen.add("nobody")


def _deleted(attacker, admin, server):
    """Have a server deleted, and say that its guest is gone, unless another host is to say so."""
    admin.compute.delete_server(server)
    told = attacker.take("delete_instance")
    assert attacker.ask("destroy_instance", {"instance": payload_of(told)["args"]["instance"]}).failure is None


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
    told = {"instance": instance, "operation": "build", "changes": changes}
    return attacker.ask("update_instance", told)


def _cast(args):
    return request("reschedule_instance", args, _msg_id=None)
