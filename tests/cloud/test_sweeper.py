"""The record of an operation is enough to end it: messages are lost, hosts die, and casts fail for good."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mininova import rpc, states
from mininova.compute.manager import ComputeManager
from mininova.conductor.build import BuildTask
from mininova.db import claims, faults, open_operations
from mininova.db import models as tables
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import action_of, again, ask, every_operation, open_operation, ready_for

ENDS = {name: next(iter(operation.ends), states.ACTIVE) for name, operation in states.OPERATIONS.items()}
ENDS["evacuate"] = states.STOPPED  # as from 2.95 on
IN_PLACE = [name for name in states.OPERATIONS if name not in ("build", "delete", *states.MIGRATIONS)]


def ended(cloud: Cloud, uuid: str, request_id: str) -> str:
    """Tell the vm_state in which an operation has left an instance; nothing of it is open any more."""
    action_of(cloud, uuid, request_id)
    assert open_operation(cloud.db, uuid) is None
    instance = cloud.instance(uuid)
    assert instance.task_state is None
    return str(instance.vm_state)


def fault(cloud: Cloud, uuid: str) -> str:
    """Read why an instance's last operation failed."""
    with cloud.db.read() as tx:
        return str(faults.latest(tx, [uuid])[uuid].message)


# ---- messages are lost


@every_operation
@pytest.mark.parametrize("delivered", range(3))
def test_the_broker_loses_its_messages(cloud: Cloud, operation: str, delivered: int):
    """An operation of which any message was lost ends as it was asked, under the id of its request."""
    uuid, request_id = ask(cloud, operation)
    for _ in range(delivered):
        cloud.broker.deliver_one()
    cloud.lose_messages()
    cloud.events.clear()
    cloud.sweep()  # what has moved since it was accepted is given time
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == ENDS[operation]
    assert {event.request_id for event in cloud.events if event.method.endswith("_instance")} <= {request_id}


@every_operation
def test_the_api_dies_between_its_commit_and_its_message(cloud: Cloud, operation: str, monkeypatch: pytest.MonkeyPatch):
    """The operation was recorded, and that is enough."""
    uuid = "" if operation == "build" else ready_for(cloud, operation)
    with monkeypatch.context() as patch:
        patch.setattr(rpc.Peer, "send", die)
        with pytest.raises(SystemExit):
            again(cloud, operation, uuid) if uuid else cloud.boot()
    with cloud.db.read() as tx:
        (recorded,) = open_operations.due(tx, datetime.now(UTC) + timedelta(minutes=1), 10)
    cloud.sweep()
    action = action_of(cloud, recorded.instance_uuid, recorded.context.request_id)
    assert action.action == states.OPERATIONS[operation].action
    assert cloud.instance(action.instance_uuid).vm_state == ENDS[operation]


def die(*asked: Any, **how: Any) -> None:
    """End the process that sends a message."""
    raise SystemExit


@pytest.mark.parametrize("operation", IN_PLACE)
def test_what_a_conductor_took_up_meanwhile_is_not_refused(
    cloud: Cloud, operation: str, monkeypatch: pytest.MonkeyPatch
):
    """The broker was away from the api, and not from the conductors (tools/chaos.py found it: seed 12)."""
    uuid = ready_for(cloud, operation)
    send = rpc.Peer.send

    def send_late(peer: rpc.Peer, *asked: Any, **how: Any) -> Any:
        monkeypatch.setattr(rpc.Peer, "send", send)
        cloud.sweep()
        raise rpc.MessagingTimeout("the broker is away, and did not come back in time", definite=True)

    monkeypatch.setattr(rpc.Peer, "send", send_late)
    request_id = again(cloud, operation, uuid)
    assert ended(cloud, uuid, request_id) == ENDS[operation]


@pytest.mark.parametrize("operation", ["build", "resize", "migrate", "live_migrate", "evacuate"])
def test_no_host_is_used_without_a_claim(cloud: Cloud, operation: str, monkeypatch: pytest.MonkeyPatch):
    """A host that was chosen, and where no room is promised, gets nothing; the operation is taken up, and ends well."""
    uuid, request_id = ask(cloud, operation)
    with monkeypatch.context() as patch:
        patch.setattr(claims, "claim_all", lambda *asked: {})
        cloud.run()
    assert open_operation(cloud.db, uuid) is not None
    cloud.sweep()
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == ENDS[operation]
    assert cloud.audit()[0] == 0


def test_a_build_is_accepted_while_the_broker_is_away(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """The message of the api gets through to none; a conductor finds the record when it is due."""
    with monkeypatch.context() as away:
        away.setattr(rpc.Peer, "send", unreachable)
        uuid, request_id = ask(cloud, "build")
        cloud.sweep()
        cloud.sweep()
    assert cloud.instance(uuid).task_state == states.SCHEDULING
    cloud.sweep()
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == states.ACTIVE


def test_a_build_that_no_broker_carries_in_time_fails(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """After the time that a build may wait it ends in ERROR, as if no scheduler had answered."""
    with monkeypatch.context() as away:
        away.setattr(rpc.Peer, "send", unreachable)
        uuid, request_id = ask(cloud, "build")
        cloud.sweep()
        with cloud.db.write() as tx:  # as if it had been asked for an hour ago
            tx.execute(update(tables.instances).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
        cloud.sweep()
    assert ended(cloud, uuid, request_id) == states.ERROR
    assert fault(cloud, uuid) == "No scheduler chose a host within 600 s: BrokerUnreachable"


def unreachable(*asked: Any, **how: Any) -> None:
    """Find that the broker is away."""
    raise rpc.BrokerUnreachable("no broker is there")


def test_a_delete_that_is_asked_for_again_is_sent_again(cloud: Cloud):
    """The first message was lost, and the second request does not wait for a conductor to find out."""
    uuid, request_id = ask(cloud, "delete")
    cloud.lose_messages()
    again(cloud, "delete", uuid)
    cloud.run()
    assert ended(cloud, uuid, request_id) == states.DELETED


def test_a_build_waits_for_a_scheduler_that_is_away(cloud: Cloud):
    """The call to it times out, which ends nothing: a conductor asks again when the build is due."""
    cloud.peers["scheduler.ctl"].transport.stop()
    uuid, request_id = ask(cloud, "build")
    cloud.run()
    cloud.sweep()
    assert cloud.instance(uuid).task_state == states.SCHEDULING
    cloud.revive("scheduler.ctl")
    cloud.lose_messages()
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == states.ACTIVE


# ---- when it is looked at


def test_what_moves_is_left_alone(cloud: Cloud):
    """A build that got further since the last look is not sent again; one that stood still is."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()  # to a conductor, which gives it a host
    cloud.lose_messages()
    sent = lambda: [event.method for event in cloud.events if event.kind == "sent"]  # noqa: E731
    cloud.events.clear()
    cloud.sweep()
    assert "build_instance" not in sent()
    cloud.sweep()
    assert sent().count("build_instance") == 1
    assert cloud.instance(uuid).vm_state == states.ACTIVE


def test_each_look_waits_twice_as_long_as_the_one_before(cloud: Cloud):
    """A host that takes its time is not flooded with copies of what it is at."""
    uuid, _ = ask(cloud, "stop")
    host = cloud.instance(uuid).host
    cloud.silence(host)
    waits = []
    for _ in range(7):
        cloud.sweep()
        waits.append((open_operation(cloud.db, uuid).due_at - datetime.now(UTC)).total_seconds() / 30)
    assert [round(wait) for wait in waits] == [pytest.approx(2**tries, rel=0.2) for tries in (1, 2, 3, 4)] + [
        pytest.approx(20, rel=0.2)
    ] * 3


def test_a_broker_that_is_back_makes_all_due_soon(cloud: Cloud):
    """It may have lost its disk: what would have waited for ten minutes is looked at in half a one."""
    uuid, _ = ask(cloud, "stop")
    now = datetime.now(UTC)
    operation = open_operation(cloud.db, uuid)
    with cloud.db.write() as tx:
        assert open_operations.take(tx, operation, seen=1, tries=9, until=now + timedelta(hours=1))
    cloud.sweeper.hurry()
    assert open_operation(cloud.db, uuid).due_at < now + timedelta(seconds=40)


def test_an_operation_is_taken_by_one_conductor(cloud: Cloud):
    """Of two that have read the same row, the second finds that it was taken."""
    uuid, _ = ask(cloud, "stop")
    operation = open_operation(cloud.db, uuid)
    with cloud.db.write() as tx:
        later = operation.due_at + timedelta(seconds=60)
        taken = [open_operations.take(tx, operation, seen=1, tries=1, until=later) for _ in range(2)]
    assert taken == [True, False]


# ---- a host is dead for good


def test_a_build_goes_to_another_host(cloud: Cloud):
    """When its host is known to be down."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()
    host = cloud.instance(uuid).host
    cloud.lose_host(host)
    cloud.sweep()
    cloud.sweep()
    built = cloud.instance(uuid)
    assert (built.vm_state, built.host) == (states.ACTIVE, "host-2" if host == "host-1" else "host-1")


def test_a_build_with_nowhere_else_to_go_fails(cloud: Cloud):
    """All its alternates are down, too: its owner reads which host was the last."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()
    for host in ("host-1", "host-2"):
        cloud.lose_host(host)
    cloud.sweep()
    cloud.sweep()
    assert cloud.instance(uuid).vm_state == states.ERROR
    assert "is down" in fault(cloud, uuid)


@pytest.mark.parametrize("operation", IN_PLACE)
def test_what_only_its_host_could_do_fails(cloud: Cloud, operation: str):
    """With a fault that names the host."""
    uuid, request_id = ask(cloud, operation)
    host = cloud.instance(uuid).host
    before = cloud.instance(uuid).vm_state
    cloud.lose_host(host)
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == (states.OPERATIONS[operation].fails or before)
    assert fault(cloud, uuid) == f"Its host {host} is down"


def test_a_delete_ends_without_its_host(cloud: Cloud):
    """And the host, when it is back, destroys the guest that is not its own any more."""
    uuid, request_id = ask(cloud, "delete")
    host = cloud.instance(uuid).host
    cloud.lose_host(host)
    cloud.sweep()
    assert ended(cloud, uuid, request_id) == states.DELETED
    assert list(cloud.computes[host].driver.list_instance_uuids()) == [uuid]
    cloud.return_host(host)
    assert list(cloud.computes[host].driver.list_instance_uuids()) == []


# ---- a cast fails for good


def fail(*asked: Any, **how: Any) -> None:
    """Fail as a bug does."""
    raise RuntimeError("a bug")


@every_operation
def test_a_cast_that_its_host_gives_up_ends_its_operation(
    cloud: Cloud, operation: str, monkeypatch: pytest.MonkeyPatch
):
    """As the table of states says of a failure, and its owner reads why."""
    uuid, request_id = ask(cloud, operation)
    before = cloud.instance(uuid).vm_state
    for method in ("build_instance", "delete_instance", "_carry_out", "_take_step"):
        monkeypatch.setattr(ComputeManager, method, fail)
    cloud.run()
    assert ended(cloud, uuid, request_id) == (states.OPERATIONS[operation].fails or before)
    assert "was given up: RuntimeError" in fault(cloud, uuid)


def test_a_build_that_the_conductors_give_up_ends_in_error(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """Nothing waits for an operator who reads a log."""
    monkeypatch.setattr(BuildTask, "build", fail)
    uuid, request_id = ask(cloud, "build")
    cloud.run()
    assert ended(cloud, uuid, request_id) == states.ERROR
    assert fault(cloud, uuid) == "build_instances was given up: RuntimeError"
