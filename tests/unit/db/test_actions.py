"""Actions tell what was asked of an instance, and their events how it went."""

import pytest

from mininova import errors
from mininova.context import RequestContext
from mininova.db import actions

CTXT = RequestContext(request_id="req-1", user_id="ann", project_id="demo")
EVENT = "compute__do_build_and_run_instance"


def ask(tx, action, request_id, uuid="a"):
    actions.start(tx, RequestContext(request_id=request_id), [uuid], action)


def test_a_request_starts_an_action_for_each_instance(tx):
    """Each instance of one request has an action that says who asked what."""
    actions.start(tx, CTXT, ["a", "b"], "create")
    for uuid in ("a", "b"):
        action = actions.get(tx, uuid, "req-1")
        assert (action.action, action.user_id, action.project_id, action.message) == ("create", "ann", "demo", None)
        assert (action.finish_time, action.events) == (None, ())


def test_an_action_that_ended_well_has_no_message(tx):
    """It has a time of its end."""
    actions.start(tx, CTXT, ["a", "b"], "create")
    actions.finish(tx, "a", "req-1")
    action = actions.get(tx, "a", "req-1")
    assert action.finish_time == action.updated_at > action.start_time
    assert action.message is None
    assert actions.get(tx, "b", "req-1").finish_time is None


def test_an_action_that_failed_says_so(tx):
    """What went wrong is its message, as far as there is room."""
    actions.start(tx, CTXT, ["a"], "create")
    actions.finish(tx, "a", "req-1", "no room " * 100)
    assert actions.get(tx, "a", "req-1").message == ("no room " * 100)[:255]


def test_an_event_has_a_beginning_and_an_end(tx):
    """A step is recorded where it happens, and how it ended."""
    actions.start(tx, CTXT, ["a"], "create")
    assert actions.event_start(tx, "a", "req-1", EVENT, "host-1") is True
    (begun,) = actions.get(tx, "a", "req-1").events
    assert (begun.event, begun.host, begun.finish_time, begun.result) == (EVENT, "host-1", None, None)
    assert actions.event_finish(tx, "a", "req-1", EVENT, "Success") is True
    action = actions.get(tx, "a", "req-1")
    (done,) = action.events
    assert (done.start_time, done.result, done.traceback) == (begun.start_time, "Success", None)
    assert done.finish_time >= done.start_time
    assert action.message is None


def test_an_error_marks_the_action(tx):
    """A step that failed leaves its traceback, and the action says Error; so it stays when the action ends."""
    actions.start(tx, CTXT, ["a"], "create")
    actions.event_start(tx, "a", "req-1", EVENT, "host-1")
    actions.event_finish(tx, "a", "req-1", EVENT, "Error", "Traceback …")
    actions.finish(tx, "a", "req-1")
    action = actions.get(tx, "a", "req-1")
    assert (action.message, action.events[0].result, action.events[0].traceback) == ("Error", "Error", "Traceback …")


def test_a_step_may_be_taken_twice(tx):
    """A build that goes to a second host has two events, the latest first, and the end is that of the latest."""
    actions.start(tx, CTXT, ["a"], "create")
    for host, result in (("host-1", "Error"), ("host-2", "Success")):
        actions.event_start(tx, "a", "req-1", EVENT, host)
        actions.event_finish(tx, "a", "req-1", EVENT, result)
    events = actions.get(tx, "a", "req-1").events
    assert [(event.host, event.result) for event in events] == [("host-2", "Success"), ("host-1", "Error")]


def test_a_step_of_nothing_is_not_recorded(tx):
    """Where there is no such action, or no such step, nothing is written, and the caller is told."""
    assert actions.event_start(tx, "a", "req-1", EVENT, "host-1") is False
    actions.start(tx, CTXT, ["a"], "create")
    assert actions.event_finish(tx, "a", "req-1", EVENT, "Success") is False
    assert actions.get(tx, "a", "req-1").events == ()


def test_an_unknown_action_is_not_found(tx):
    """The error names the request and the instance."""
    ask(tx, "create", "req-1")
    for uuid, request_id in (("a", "req-2"), ("b", "req-1")):
        with pytest.raises(errors.ActionNotFound, match=f"{request_id} on instance {uuid}"):
            actions.get(tx, uuid, request_id)


def test_lists(tx):
    """An instance's actions are listed by themselves, the latest first, in pages, and by when they changed."""
    for number, action in enumerate(("create", "stop", "start")):
        ask(tx, action, f"req-{number}")
    ask(tx, "create", "req-9", uuid="b")

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
    """Wherever a step of any of its requests was begun; a step of the api has no host."""
    for request_id, *hosts in ("req-1", "host-1", "host-2"), ("req-2", None, "host-1"):
        ask(tx, "create", request_id)
        for host in hosts:
            actions.event_start(tx, "a", request_id, EVENT, host)
    ask(tx, "create", "req-3", uuid="b")
    actions.event_start(tx, "b", "req-3", EVENT, "host-3")
    assert actions.hosts(tx, "a") == {"host-1", "host-2"}
    assert actions.hosts(tx, "c") == set()
