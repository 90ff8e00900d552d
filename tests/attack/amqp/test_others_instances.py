"""Reading and changing the instances of other hosts, with everything about them guessed."""

import json

import pytest

from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
DONE = own_object("InstanceChanges", vm_state="stopped", power_state=4)

#: What is claimed to be the instance's host: the truth, which the caller is not, or the caller, which is not the truth.
where = pytest.mark.parametrize("host", ["host-2", "host-1", None, "compute.host-1", "HOST-1"])


def _uuid(instance):
    return instance["versioned_object.data"]["uuid"]


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@where
def test_update(attacker, refused, theirs, host):
    """Writes the state of another host's instance, whatever host the message says that it is on."""
    args = {"instance": changed(theirs, host=host), "operation": None, "changes": DONE}
    refused.by_conductor(attacker.ask("update_instance", args), "update_instance", _uuid(theirs))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@where
@pytest.mark.parametrize("operation", ["build", "delete", "stop"])
def test_fail(attacker, refused, theirs, host, operation):
    """Ends an operation on another host's instance badly, which would put it in ERROR."""
    args = {"instance": changed(theirs, host=host), "operation": operation, "fault": FAULT}
    refused.by_conductor(attacker.ask("fail_instance", args), "fail_instance", _uuid(theirs))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@where
def test_destroy(attacker, refused, theirs, host):
    """Says that another host's instance is gone, which would delete it."""
    args = {"instance": changed(theirs, host=host)}
    refused.by_conductor(attacker.ask("destroy_instance", args), "destroy_instance", _uuid(theirs))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@where
def test_network(attacker, refused, theirs, host):
    """Has an address lent to another host's instance, and its state changed with that."""
    args = {"instance": changed(theirs, host=host, task_state="scheduling")}
    refused.by_conductor(attacker.ask("allocate_network", args), "allocate_network", _uuid(theirs))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@where
def test_move(attacker, refused, theirs, host):
    """Gives another host's instance back to be built elsewhere."""
    args = {"instance": changed(theirs, host=host), "fault": FAULT}
    refused.by_conductor(attacker.cast("reschedule_instance", args), "reschedule_instance", _uuid(theirs))


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_read(attacker, refused, theirs):
    """Reads another host's instance by its uuid."""
    refused.by_conductor(attacker.ask("get_instance", {"uuid": _uuid(theirs)}), "get_instance", _uuid(theirs))


@pytest.mark.attack(
    refused_by="conductor", sees="`Forbidden`, in the same words for what there is and what there is not"
)
@pytest.mark.parametrize("uuid", ["0b4a9f6e-0000-4000-8000-000000000000", "", "%", "' OR '1'='1", "x" * 300])
def test_read_what_is_not_there(attacker, refused, theirs, uuid):
    """Tries uuids to find some."""
    of_nothing = attacker.ask("get_instance", {"uuid": uuid})
    refused.by_conductor(of_nothing, "get_instance")
    assert not uuid or _words(of_nothing, uuid) == _words(
        attacker.ask("get_instance", {"uuid": _uuid(theirs)}), _uuid(theirs)
    )


@pytest.mark.attack(
    refused_by="conductor", sees="`Forbidden`, in the same words for what there is and what there is not"
)
@pytest.mark.parametrize("method", ["update_instance", "fail_instance", "destroy_instance", "allocate_network"])
def test_change_what_is_not_there(attacker, refused, theirs, method):
    """Changes instances whose uuids it tries, as if they were its own, to find some."""
    nothing = "0b4a9f6e-0000-4000-8000-000000000001"
    more = {"update_instance": {"operation": None, "changes": DONE},
            "fail_instance": {"operation": "stop", "fault": FAULT}}  # fmt: skip
    answers = []
    for uuid in (nothing, _uuid(theirs)):
        instance = changed(theirs, uuid=uuid, host=attacker.host)
        answers.append(attacker.ask(method, {"instance": instance, **more.get(method, {})}))
        refused.by_conductor(answers[-1], method, uuid)
    assert _words(answers[0], nothing) == _words(answers[1], _uuid(theirs))


def _words(answer, uuid):
    """Give all that an answer says, but for the uuid that was asked about."""
    return json.dumps(answer.failure).replace(json.dumps(uuid)[1:-1], "it")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize(
    "host", ["host-2", "host-1.annex", "", "%", "host-_", "HOST-1", "host-1 ", "host-1\0", "host-1' OR '1'='1"]
)
@pytest.mark.parametrize("since", [None, "2000-01-01T00:00:00Z"], ids=["live", "deleted"])
def test_list(attacker, refused, host, since):
    """Lists another host's instances, those that were deleted lately too."""
    args = {"host": host, "active_since": since}
    refused.by_conductor(attacker.ask("get_instances", args), "get_instances")
