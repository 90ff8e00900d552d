"""Actions record what a request did to an instance, and their events how each step ended."""

import pytest

from mininova import errors, states
from mininova.context import RequestContext
from mininova.db import actions
from mininova.objects import Flavor, Instance

CTXT = RequestContext(request_id="req-1", user_id="ann", project_id="demo")
EVENT = "compute__do_build_and_run_instance"


def begun(uuid):
    """Make an instance of which something was just asked."""
    flavor = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)
    return Instance(
        uuid=uuid, project_id="demo", user_id="ann", display_name="vm", flavor=flavor, vm_state="active", generation=7
    )


def ask(tx, operation, request_id, uuid="a", host=None):
    actions.start(tx, RequestContext(request_id=request_id), [begun(uuid)], operation, host, due_after=30)


def steps(tx, request_id="req-1"):
    """Read the events of an action, the latest first: name, host, result, words."""
    events = actions.get(tx, "a", request_id).events
    return [(event.event, event.host, event.result, event.traceback) for event in events]


def test_a_request_starts_an_action_for_each_instance(tx):
    """Each instance of a request has an action with the request's user and operation."""
    actions.start(tx, CTXT, [begun("a"), begun("b")], "build", due_after=30)
    for uuid in ("a", "b"):
        action = actions.get(tx, uuid, "req-1")
        assert (action.action, action.user_id, action.project_id, action.message) == ("create", "ann", "demo", None)
        assert (action.finish_time, action.events) == (None, ())


def test_an_action_that_ended_well_has_no_message(tx):
    """Its end has a time, and so has the end of its last step."""
    for uuid in ("a", "b"):
        ask(tx, "stop", "req-1", uuid, "host-1")
    actions.finish(tx, "a")
    action = actions.get(tx, "a", "req-1")
    (event,) = action.events
    assert action.finish_time == action.updated_at == event.finish_time > action.start_time
    assert action.message is None
    assert (event.event, event.result, event.traceback) == ("compute_stop_instance", "Success", None)
    assert actions.get(tx, "b", "req-1").finish_time is None


def test_an_action_that_failed_says_so(tx):
    """As in Nova its message is Error; the cause is with the step that was under way."""
    ask(tx, "stop", "req-1", host="host-1")
    actions.finish(tx, "a", "no power")
    assert actions.get(tx, "a", "req-1").message == "Error"
    assert steps(tx) == [("compute_stop_instance", "host-1", "Error", "no power")]


@pytest.mark.parametrize(
    ("operation", "event"),
    [("build", "conductor_schedule_and_build_instances"), ("delete", "api__local_delete")],
)
@pytest.mark.parametrize("error", [None, "no valid host"])
def test_an_action_without_a_hosts_work_has_one_step(tx, operation, event, error):
    """A build that reached no host, and a delete that needed none, have one step with its place and result."""
    ask(tx, operation, "req-1")
    actions.finish(tx, "a", error)
    assert steps(tx) == [(event, None, "Error" if error else "Success", error)]


def test_a_build_that_went_to_two_hosts(tx):
    """It has two events, the latest first; its message is Error, as in Nova, though it ended well."""
    ask(tx, "build", "req-1")
    actions.event_start(tx, "a", EVENT, "host-1")
    actions.event_fail(tx, "a", "the disk is full")
    assert actions.get(tx, "a", "req-1").finish_time is None
    actions.event_start(tx, "a", EVENT, "host-2")
    actions.finish(tx, "a")
    assert steps(tx) == [(EVENT, "host-2", "Success", None), (EVENT, "host-1", "Error", "the disk is full")]
    assert actions.get(tx, "a", "req-1").message == "Error"


def test_an_ended_action_gets_no_more_steps(tx):
    """A late message does not write to an action that has ended."""
    ask(tx, "stop", "req-1", host="host-1")
    actions.finish(tx, "a")
    before = actions.get(tx, "a", "req-1")
    actions.event_start(tx, "a", EVENT, "host-1")
    actions.event_fail(tx, "a", "late")
    actions.finish(tx, "a", "late")
    assert actions.get(tx, "a", "req-1") == before


@pytest.mark.parametrize(("operation", "before"), [("delete", "build"), ("delete", "stop"), ("hard_reboot", "reboot")])
def test_an_operation_that_may_interrupt_others_ends_them(tx, operation, before):
    """An instance has one open action; the interrupted one names the request that interrupted it."""
    ask(tx, before, "req-1", host="host-1")
    ask(tx, operation, "req-2", host="host-1")
    ((_, _, result, words),) = steps(tx)
    assert (result, words) == ("Error", f"interrupted by {states.OPERATIONS[operation].action} (req-2)")
    assert actions.get(tx, "a", "req-1").finish_time is not None
    assert actions.get(tx, "a", "req-2").finish_time is None


def test_an_action_that_is_done_at_once(tx):
    """It gets its start, its step and its end, and leaves an open action open."""
    ask(tx, "stop", "req-1", host="host-1")
    actions.record(tx, RequestContext(request_id="req-2"), "a", "lock", "api_lock")
    assert steps(tx, "req-2") == [("api_lock", None, "Success", None)]
    assert actions.get(tx, "a", "req-2").finish_time is not None
    assert actions.get(tx, "a", "req-1").finish_time is None


def test_an_unknown_action_is_not_found(tx):
    """The error names the request and the instance."""
    ask(tx, "build", "req-1")
    for uuid, request_id in (("a", "req-2"), ("b", "req-1")):
        with pytest.raises(errors.ActionNotFound, match=f"{request_id} on instance {uuid}"):
            actions.get(tx, uuid, request_id)


def test_lists(tx):
    """An instance's actions are listed by themselves, the latest first, in pages, and by when they changed."""
    for number, operation in enumerate(("build", "stop", "start")):
        ask(tx, operation, f"req-{number}")
        actions.finish(tx, "a")
    ask(tx, "build", "req-9", uuid="b")

    def found(**wanted):
        return [action.action for action in actions.search(tx, "a", **wanted)]

    assert found() == ["start", "stop", "create"]
    assert found(limit=1) == ["start"]
    assert found(limit=1, marker="req-2") == ["stop"]
    stopped = actions.get(tx, "a", "req-1").updated_at
    assert found(changes_since=stopped) == ["start", "stop"]
    assert found(changes_before=stopped) == ["stop", "create"]
    with pytest.raises(errors.InvalidInput, match=r"marker \[req-9\] not found"):
        found(marker="req-9")


def test_the_hosts_of_all_steps(tx):
    """The list has each host with a step of any request; a step of the api has no host."""
    for request_id, *hosts in ("req-1", "host-1", "host-2"), ("req-2", "host-1"):
        ask(tx, "build", request_id)
        for host in hosts:
            actions.event_start(tx, "a", EVENT, host)
        actions.finish(tx, "a")
    ask(tx, "build", "req-3", uuid="b")
    actions.event_start(tx, "b", EVENT, "host-3")
    assert actions.hosts(tx, "a") == {"host-1", "host-2"}
    assert actions.hosts(tx, "c") == set()
