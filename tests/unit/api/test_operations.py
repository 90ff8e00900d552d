"""What an operation writes and sends, and what happens when another request was faster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import errors, rpc, states
from mininova.context import RequestContext
from mininova.db import actions, claims, networks, services
from mininova.objects import Service
from tests.fixtures.api_harness import WHEN
from tests.fixtures.operations import open_operation

CTXT = RequestContext(user_id="member", project_id="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", roles=("member", "reader"))
ADMIN = RequestContext(user_id="admin", roles=("admin",), is_admin=True)


def silence(api: Any, host: str) -> None:
    """Have no heartbeat of a host for an hour."""
    with api.db.write() as tx:
        (service,) = services.search(tx, host=host)
        services.report(tx, service, datetime.now(UTC) - timedelta(hours=1))


def action_names(api: Any, uuid: str) -> list[str]:
    with api.db.read() as tx:
        return [action.action for action in actions.search(tx, uuid)]


# ---- stop, start, reboot


@pytest.mark.parametrize(
    ("vm_state", "operation", "task_state", "sent"),
    [
        ("active", lambda ops, it: ops.begin(CTXT, "stop", it), "powering-off", ("stop_instance", ())),
        ("stopped", lambda ops, it: ops.begin(CTXT, "start", it), "powering-on", ("start_instance", ())),
        ("active", lambda ops, it: ops.begin(CTXT, "reboot", it), "rebooting", ("reboot_instance", ("SOFT",))),
        ("error", lambda ops, it: ops.begin(CTXT, "hard_reboot", it), "rebooting_hard", ("reboot_instance", ("HARD",))),
    ],
)
def test_the_first_step_is_written_and_the_rest_is_sent(
    api: Any, vm_state: str, operation: Any, task_state: str, sent: Any
) -> None:
    """The row has the first state, the list of actions has the operation, and the instance's host gets the message."""
    uuid = api.active()
    operation(api.operations, api.change(uuid, vm_state=vm_state, launched_at=WHEN))
    now = api.instance(uuid)
    assert now.task_state == task_state
    assert api.compute.sent == [("host-1", sent[0], now, sent[1])]
    assert len(action_names(api, uuid)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vm_state": "stopped"}, "Cannot 'stop' instance {} while it is in vm_state stopped"),
        ({"task_state": "rebooting"}, "Cannot 'stop' instance {} while it is in task_state rebooting"),
    ],
)
def test_an_operation_that_the_state_forbids_is_refused(api: Any, change: dict[str, Any], words: str) -> None:
    """The error says which state forbids it, and no message is sent."""
    uuid = api.active()
    with pytest.raises(errors.InstanceInvalidState) as refused:
        api.operations.begin(CTXT, "stop", api.change(uuid, **change))
    assert str(refused.value) == words.format(uuid)
    assert api.compute.sent == []


def test_of_two_that_race_one_is_refused(api: Any) -> None:
    """The request that read the row before the other one wrote it gets an error, with the state
    that the row has now.
    """
    uuid = api.active()
    seen = api.instance(uuid)
    api.operations.begin(CTXT, "stop", seen)
    with pytest.raises(errors.InstanceInvalidState, match="task_state powering-off"):
        api.operations.begin(CTXT, "reboot", seen)
    assert action_names(api, uuid) == ["stop", "create"]


def test_a_change_that_does_not_matter_is_no_conflict(api: Any) -> None:
    """If the state still allows the operation, a newer generation is no reason to refuse it."""
    uuid = api.active()
    seen = api.instance(uuid)
    api.change(uuid, power_state=4)
    api.operations.begin(CTXT, "stop", seen)
    assert api.instance(uuid).task_state == "powering-off"


def test_an_instance_without_a_host_is_not_ready(api: Any) -> None:
    """No host can be asked yet."""
    uuid = api.boot()
    with pytest.raises(errors.InstanceNotReady):
        api.operations.begin(CTXT, "stop", api.change(uuid, vm_state="active", task_state=None))


def test_a_host_that_takes_no_messages_is_said_to_be_unavailable(api: Any) -> None:
    """The first step is undone, and the error names the host."""
    uuid = api.active()
    api.compute.broken = rpc.Undeliverable("no queue takes compute.host-1")
    with pytest.raises(errors.ComputeServiceUnavailable, match="host-1 is unavailable"):
        api.operations.begin(CTXT, "stop", api.instance(uuid))
    now = api.instance(uuid)
    assert (now.vm_state, now.task_state) == ("active", None)
    with api.db.read() as tx:
        (stop, *_) = actions.search(tx, uuid)
        (event,) = actions.get(tx, uuid, stop.request_id).events
    assert (stop.message, event.result, event.traceback) == ("Error", "Error", "Undeliverable")


def test_a_locked_instance_can_be_changed_by_administrators_only(api: Any) -> None:
    """Other users get an error."""
    uuid = api.active()
    api.operations.lock(CTXT, api.instance(uuid), "mine")
    for operation in (lambda it: api.operations.begin(CTXT, "stop", it), lambda it: api.operations.delete(CTXT, it)):
        with pytest.raises(errors.InstanceIsLocked):
            operation(api.instance(uuid))
    api.operations.begin(ADMIN, "stop", api.instance(uuid))
    assert api.instance(uuid).task_state == "powering-off"


def test_each_change_of_state_is_notified(api: Any) -> None:
    """A notification has the old state and the new one."""
    uuid = api.active()
    api.operations.begin(CTXT, "stop", api.instance(uuid))
    event, payload = api.notifier.told[-1]
    assert event == "compute.instance.update"
    assert (payload["old_task_state"], payload["new_task_state"]) == (None, "powering-off")


# ---- delete


def test_deleting_is_left_to_the_host(api: Any) -> None:
    """While the host is alive it destroys the guest; the row says that the instance is being deleted."""
    uuid = api.active()
    api.operations.delete(CTXT, api.instance(uuid))
    now = api.instance(uuid)
    assert now.task_state == "deleting"
    assert api.compute.sent == [("host-1", "delete_instance", now, ())]


@pytest.mark.parametrize("task_state", [None, *states.OPERATIONS["build"].passes, "powering-off", "rebooting_hard"])
def test_deleting_wins_over_any_other_operation(api: Any, task_state: str | None) -> None:
    """A delete is allowed in every task state."""
    uuid = api.active()
    api.operations.delete(CTXT, api.change(uuid, task_state=task_state))
    assert api.instance(uuid).task_state == "deleting"


def test_a_repeated_delete_is_sent_again(api: Any) -> None:
    """The first message may be lost; the record of the delete stays that of the first request."""
    uuid = api.active()
    api.operations.delete(CTXT, api.instance(uuid))
    before = api.instance(uuid)
    api.operations.delete(CTXT, api.instance(uuid))
    assert [(host, method) for host, method, *_ in api.compute.sent] == [("host-1", "delete_instance")] * 2
    assert api.instance(uuid) == before
    assert action_names(api, uuid) == ["delete", "create"]


def test_a_repeated_delete_whose_host_died_meanwhile_ends_here(api: Any) -> None:
    """It is not answered as done while nothing does it."""
    uuid = api.active()
    give_room(api, uuid, "host-1")
    api.operations.delete(CTXT, api.instance(uuid))
    silence(api, "host-1")
    api.operations.delete(CTXT, api.instance(uuid))
    assert_nothing_left(api, uuid)


def give_room(api: Any, uuid: str, host: str) -> None:
    with api.db.write() as tx:
        assert claims.claim(tx, uuid, host, api.instance(uuid).flavor)
        networks.allocate(tx, "flat", "10.0.0.0/16", uuid)


def assert_nothing_left(api: Any, uuid: str) -> None:
    """Check that the row is deleted, and that its room and its address are free."""
    gone = api.instance(uuid, deleted=True)
    assert (gone.vm_state, gone.task_state) == ("deleted", None)
    assert gone.terminated_at is not None
    with api.db.read() as tx:
        assert claims.of_instance(tx, uuid) is None
        assert actions.search(tx, uuid)[0].finish_time is not None
    with api.db.write() as tx:
        assert not networks.free(tx, uuid)


def test_without_a_host_it_is_gone_at_once(api: Any) -> None:
    """A build that has no host yet has no guest to destroy."""
    uuid = api.boot()
    give_room(api, uuid, "host-1")
    api.operations.delete(CTXT, api.instance(uuid))
    assert_nothing_left(api, uuid)
    assert api.compute.sent == []


def test_a_dead_host_is_not_waited_for(api: Any) -> None:
    """When the host is down, the api deletes the row; the host destroys its guest when it is back."""
    uuid = api.active()
    give_room(api, uuid, "host-1")
    silence(api, "host-1")
    api.operations.delete(CTXT, api.instance(uuid))
    assert_nothing_left(api, uuid)


def test_a_delete_by_the_api_is_notified_as_one_by_a_compute_node(api: Any) -> None:
    """The notification has the time in the row, and the usage until then is notified before it, for billing."""
    uuid = api.active()
    silence(api, "host-1")
    api.notifier.told.clear()
    api.operations.delete(CTXT, api.change(uuid, launched_at=datetime(2026, 1, 1, tzinfo=UTC)))
    told = [(event.removeprefix("compute.instance."), payload) for event, payload in api.notifier.told]
    assert [event for event, _ in told] == ["update", "exists", "delete.start", "update", "delete.end"]
    moment = str(api.instance(uuid, deleted=True).terminated_at.replace(microsecond=0))
    assert {payload["deleted_at"] for _, payload in told} == {"", moment}


def test_a_delete_that_no_queue_takes_is_left_to_a_conductor(api: Any) -> None:
    """Its host lives, and so may the guest: the delete is recorded, and due."""
    uuid = api.active()
    api.compute.broken = rpc.Undeliverable("no queue")
    api.operations.delete(CTXT, api.instance(uuid))
    operation = open_operation(api.db, uuid)
    assert (operation.operation, operation.generation) == ("delete", api.instance(uuid).generation)


def test_a_service_of_another_kind_does_not_make_a_host_alive(api: Any) -> None:
    """Only the compute service of a host can destroy a guest."""
    uuid = api.active()
    silence(api, "host-1")
    with api.db.write() as tx:
        conductor = Service(binary="nova-conductor", host="host-1", topic="conductor")
        services.report(tx, conductor, datetime.now(UTC))
    api.operations.delete(CTXT, api.instance(uuid))
    assert_nothing_left(api, uuid)


# ---- questions


@pytest.mark.parametrize("error", [rpc.MessagingTimeout("no answer"), rpc.RemoteError("KeyError")])
def test_a_host_that_does_not_answer_is_said_to_be_unavailable(api: Any, error: Exception) -> None:
    """A call without an answer is a conflict, in plain words."""
    uuid = api.active()
    api.compute.broken = error
    with pytest.raises(errors.ComputeServiceUnavailable, match="Compute service of host-1 is unavailable"):
        api.cloud.questions.console_output(CTXT, api.instance(uuid), 5)


def test_resetting_a_state_asks_no_host(api: Any) -> None:
    """The administrator's state is written, and no host is asked."""
    uuid = api.active()
    api.operations.reset_state(ADMIN, api.change(uuid, task_state="powering-off"), "error")
    assert (api.instance(uuid).vm_state, api.instance(uuid).task_state) == ("error", None)
