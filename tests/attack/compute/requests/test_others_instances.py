"""Reading and changing the instances of other hosts, with everything about them guessed."""

import json

import pytest

from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
DONE = own_object("InstanceChanges", vm_state="stopped", power_state=4)

#: What is claimed to be the instance's host: the truth, which is not the caller, or the caller, which is not the truth.
where = pytest.mark.parametrize("host", ["host-2", "host-1", None, "compute.host-1", "HOST-1"])
no_oracle = pytest.mark.sees("`Forbidden`, in the same words for an instance that exists and for one that does not")


def _uuid(instance):
    return instance["versioned_object.data"]["uuid"]


@where
def test_update(attacker, observe, theirs, host):
    """Writes the state of another host's instance, and says that it is on one host or another."""
    with observe(_uuid(theirs)):
        attacker.ask("update_instance", {"instance": changed(theirs, host=host), "operation": None, "changes": DONE})


def test_their_last_update(attacker, observe, theirs):
    """Sends again the last update of another host's instance, as if that had been its own."""
    generation = theirs["versioned_object.data"]["generation"] - 1
    last = changed(theirs, host=attacker.host, generation=generation)
    done = own_object("InstanceChanges", vm_state="active", task_state=None)
    with observe(_uuid(theirs)):
        attacker.ask("update_instance", {"instance": last, "operation": "build", "changes": done})


@pytest.mark.parametrize(
    ("host", "operation"), [("host-2", "build"), ("host-1", "delete"), ("host-1", "stop"), (None, "build")]
)
def test_fail(attacker, observe, theirs, host, operation):
    """Reports that an operation on another host's instance failed, which would put the instance in ERROR."""
    with observe(_uuid(theirs)):
        args = {"instance": changed(theirs, host=host), "operation": operation, "fault": FAULT}
        attacker.ask("fail_instance", args)


@where
def test_destroy(attacker, observe, theirs, host):
    """Says that another host's instance is gone, which would delete it."""
    with observe(_uuid(theirs)):
        attacker.ask("destroy_instance", {"instance": changed(theirs, host=host)})


@where
def test_network(attacker, observe, theirs, host):
    """Asks for an address for another host's instance, which would also change the instance's state."""
    with observe(_uuid(theirs)):
        attacker.ask("allocate_network", {"instance": changed(theirs, host=host, task_state="scheduling")})


@where
def test_move(attacker, observe, theirs, host):
    """Gives another host's instance back to be built elsewhere."""
    with observe(_uuid(theirs)):
        attacker.cast("reschedule_instance", {"instance": changed(theirs, host=host), "fault": FAULT})


def test_read(attacker, observe, theirs):
    """Reads another host's instance by its uuid."""
    with observe(_uuid(theirs)):
        attacker.ask("get_instance", {"uuid": _uuid(theirs)})


@no_oracle
@pytest.mark.parametrize("uuid", ["0b4a9f6e-0000-4000-8000-000000000000", "", "%", "' OR '1'='1", "x" * 300])
def test_read_what_is_not_there(attacker, observe, theirs, uuid):
    """Tries uuids to find some."""
    with observe():
        of_nothing, of_theirs = (attacker.ask("get_instance", {"uuid": each}) for each in (uuid, _uuid(theirs)))
    assert not uuid or _words(of_nothing, uuid) == _words(of_theirs, _uuid(theirs))


@no_oracle
@pytest.mark.parametrize(
    "method",
    [
        "update_instance", "fail_instance", "destroy_instance", "allocate_network", "upload_snapshot",
        "offload_instance", "end_detach",
    ],
)  # fmt: skip
def test_change_what_is_not_there(attacker, observe, theirs, method):
    """Changes instances whose uuids it tries, as if they were its own, to find some."""
    nothing = "0b4a9f6e-0000-4000-8000-000000000001"
    more = {"update_instance": {"operation": None, "changes": DONE},
            "fail_instance": {"operation": "stop", "fault": FAULT},
            "end_detach": {"port_id": nothing, "fault": None},
            "upload_snapshot": {"operation": "snapshot", "taken": "mine"}}  # fmt: skip
    answers = []
    for uuid in (nothing, _uuid(theirs)):
        instance = changed(theirs, uuid=uuid, host=attacker.host)
        with observe(uuid):
            answers.append(attacker.ask(method, {"instance": instance, **more.get(method, {})}, version="1.1"))
    assert _words(answers[0], nothing) == _words(answers[1], _uuid(theirs))


def _words(answer, uuid):
    """Give all that an answer says, but for the uuid that was asked about."""
    return json.dumps(answer.failure).replace(json.dumps(uuid)[1:-1], "it")


@pytest.mark.parametrize(
    "host", ["host-2", "host-1.annex", "", "%", "host-_", "HOST-1", "host-1 ", "host-1\0", "host-1' OR '1'='1"]
)
def test_list(attacker, observe, host):
    """Lists another host's instances."""
    with observe(host):
        attacker.ask("get_instances", {"host": host})


def test_list_the_deleted(attacker, observe):
    """Lists the instances that were deleted lately on another host."""
    with observe("host-2"):
        attacker.ask("get_instances", {"host": "host-2", "active_since": "2000-01-01T00:00:00Z"})


@pytest.mark.parametrize("host", ["host-2", "host-9", ""])
def test_clear_what_left_another_host(attacker, observe, theirs, host):
    """Says that it has cleared what left another host, so that an address is lent again while its guest lives there."""
    with observe(host):
        attacker.ask("reconcile_host", {"host": host, "cleared": [_uuid(theirs)]}, version="1.1")


@pytest.mark.parametrize("cleared", [["x" * 37], [f"{n:036}" for n in range(1001)]], ids=["a long name", "many"])
def test_clear_what_never_left(attacker, observe, cleared):
    """Says that it has cleared more than can have left it."""
    with observe():
        attacker.ask("reconcile_host", {"host": attacker.host, "cleared": cleared}, version="1.1")
