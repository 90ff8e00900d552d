"""Migrations of each kind: where the server, its guests and its room are in the end, whatever goes wrong."""

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import errors, rpc, states
from mininova.conductor.confirm import Confirmer
from mininova.conductor.rpcapi import ConductorAPI
from mininova.conductor.steps import STEPS
from mininova.context import service_context
from mininova.db import claims, server_migrations
from tests.fixtures.cloud import Cloud
from tests.fixtures.migrations import DOES, agrees, behave, due, guests, host_of, operation_with, other, status
from tests.fixtures.operations import again, ask, open_operation, ready_for

every_step = pytest.mark.parametrize("step", STEPS)


# ---- the good story


@pytest.mark.parametrize("before", [states.ACTIVE, states.STOPPED])
@pytest.mark.parametrize("end", ["confirm_resize", "revert_resize"])
def test_a_server_rests_as_it_did(cloud: Cloud, before: str, end: str):
    """It runs or is stopped as before; confirmed with its new flavor there, or reverted with its old one here."""
    uuid = ready_for(cloud, "start" if before == states.STOPPED else "stop")
    source = cloud.instance(uuid).host
    again(cloud, "resize", uuid)
    cloud.run()
    resized = cloud.instance(uuid)
    runs = states.SHUTDOWN if before == states.STOPPED else states.RUNNING
    assert (resized.vm_state, resized.flavor.name, resized.power_state) == (states.RESIZED, "m1.small", runs)
    assert guests(cloud, uuid) == {source: states.SHUTDOWN, resized.host: runs}
    assert agrees(cloud)
    again(cloud, end, uuid)
    cloud.run()
    ended = cloud.instance(uuid)
    where = (resized.host, "m1.small") if end == "confirm_resize" else (source, "m1.tiny")
    assert (ended.vm_state, ended.host, ended.flavor.name) == (before, *where)
    assert guests(cloud, uuid) == {ended.host: runs}
    assert agrees(cloud)


def test_both_hosts_keep_room_until_it_is_confirmed(cloud: Cloud):
    """The host that it comes from keeps that of the old flavor, for the migration."""
    uuid = ready_for(cloud, "resize")
    source = cloud.instance(uuid).host
    again(cloud, "resize", uuid)
    cloud.run()
    with cloud.db.read() as tx:
        migration = server_migrations.of_instance(tx, uuid)
        own, kept = claims.of_instance(tx, uuid), claims.of_instance(tx, migration.uuid)
    assert (own.host, own.memory_mb) == (cloud.instance(uuid).host, 2048)
    assert (kept.host, kept.memory_mb) == (source, 512)


def test_a_migration_goes_where_an_administrator_says(cloud: Cloud):
    """And not to where the server is, or to a host that is none."""
    uuid = ready_for(cloud, "migrate")
    here = cloud.instance(uuid).host
    there = "host-2" if here == "host-1" else "host-1"
    asked = lambda host: cloud.request("POST", f"/servers/{uuid}/action", {"migrate": {"host": host}}, user="admin")  # noqa: E731
    assert [asked(host).status_code for host in (here, "host-9", there)] == [400, 400, 202]
    cloud.run()
    assert (cloud.instance(uuid).host, status(cloud)) == (there, "finished")


def test_a_resize_may_stay_on_its_host(make_cloud: Any):
    """Where the operator allows that, and there is no other; nothing is destroyed then."""
    cloud = make_cloud(hosts=("host-1",))
    cloud.sweeper.conf.set_override("allow_resize_to_same_host", True, group="operations")
    for end, flavor in ("revert_resize", "m1.tiny"), ("confirm_resize", "m1.small"):
        uuid = ready_for(cloud, end)
        again(cloud, end, uuid)
        cloud.run()
        assert (cloud.instance(uuid).vm_state, cloud.instance(uuid).flavor.name) == (states.ACTIVE, flavor)
        assert guests(cloud, uuid) == {"host-1": states.RUNNING}
        assert agrees(cloud)


# ---- what is refused


def test_there_is_no_other_host(make_cloud: Any):
    """The server is as it was, and its owner reads why."""
    cloud = make_cloud(hosts=("host-1",))
    uuid, _ = ask(cloud, "resize")
    cloud.run()
    instance = cloud.instance(uuid)
    assert (instance.vm_state, instance.task_state, instance.flavor.name) == (states.ACTIVE, None, "m1.tiny")
    assert (status(cloud), guests(cloud, uuid)) == ("error", {"host-1": states.RUNNING})
    assert agrees(cloud)


def test_a_flavor_that_it_cannot_have(cloud: Cloud):
    """It is its own, or there is none."""
    uuid = ready_for(cloud, "resize")
    for flavor in ("1", "99"):
        assert cloud.act(uuid, "resize", {"flavorRef": flavor}) == 400


def test_a_quota_holds_for_the_difference(cloud: Cloud):
    """What the new flavor has more of must be left; going back to a larger flavor is refused as well."""
    uuid = ready_for(cloud, "confirm_resize")
    limits = {"quota_set": {"ram": 2048}}
    project = cloud.instance(uuid).project_id
    assert cloud.request("PUT", f"/os-quota-sets/{project}", limits, user="admin").status_code == 200
    again(cloud, "confirm_resize", uuid)
    cloud.run()
    assert cloud.act(uuid, "resize", {"flavorRef": "3"}) == 403
    assert cloud.act(uuid, "resize", {"flavorRef": "1"}) == 202
    cloud.run()
    cloud.request("PUT", f"/os-quota-sets/{project}", {"quota_set": {"ram": 512, "force": True}}, user="admin")
    assert cloud.act(uuid, "revertResize") == 403


# ---- what goes wrong


@every_step
def test_a_host_cannot_do_its_step(cloud: Cloud, step: str):
    """Before the server has moved it stays as it was; after that it is in ERROR on the host that it is on."""
    uuid, _ = ask(cloud, operation_with(step))
    before = cloud.instance(uuid)
    behave(cloud, f"[{{operation: {DOES[step]}, failure: {{message: out of luck}}}}]")
    cloud.run()
    behave(cloud, "")
    cloud.return_hosts()
    instance = cloud.instance(uuid)
    unmoved = step in ("prep", "migrate", "pre_live", "live")
    assert instance.task_state is None
    assert instance.vm_state == (before.vm_state if unmoved else states.ERROR)
    if unmoved:
        assert (instance.host, instance.flavor, guests(cloud, uuid)) == (
            before.host, before.flavor, {before.host: states.RUNNING}
        )  # fmt: skip
    assert status(cloud) == ("failed" if step == "evacuate" else "error")
    assert "out of luck" in cloud.show(uuid).get("fault", {"message": "out of luck"})["message"]
    assert set(guests(cloud, uuid)) <= {instance.host}
    assert agrees(cloud)


@pytest.mark.parametrize(
    ("operation", "does"), [("resize", "check_can_migrate"), ("live_migrate", "pre_live_migration")]
)
def test_another_host_takes_what_one_cannot(make_cloud: Any, operation: str, does: str):
    """The scheduler is asked again, and leaves out the one that could not."""
    cloud = make_cloud(hosts=("host-1", "host-2", "host-3"))
    uuid, _ = ask(cloud, operation)
    source = cloud.instance(uuid).host
    cloud.broker.deliver_one()
    with cloud.db.read() as tx:
        first = server_migrations.of_instance(tx, uuid).dest_compute
    behave(cloud, f"[{{hosts: {first}, operation: {does}, failure: {{message: it cannot}}}}]")
    cloud.run()
    instance = cloud.instance(uuid)
    assert instance.vm_state == (states.RESIZED if operation == "resize" else states.ACTIVE)
    assert instance.host not in (first, source)
    assert agrees(cloud)


@every_step
@pytest.mark.parametrize("dies", ["its own", "the other"])
def test_a_host_dies_for_good(cloud: Cloud, step: str, dies: str):
    """When a step is due: the operation ends, and all agrees when the host is back."""
    uuid, _ = ask(cloud, operation_with(step))
    while not due(cloud, uuid, step):
        assert cloud.broker.deliver_one()
    host = host_of(cloud, uuid)
    lost = host if dies == "its own" else other(host)
    if lost not in cloud.dead:
        cloud.lose_host(lost)
    cloud.run()
    for _ in range(4):
        cloud.sweep()
    assert open_operation(cloud.db, uuid) is None
    instance = cloud.instance(uuid)
    rests = (states.ACTIVE, states.STOPPED, states.RESIZED, states.ERROR)
    assert (instance.task_state, instance.vm_state in rests) == (None, True)
    cloud.return_hosts()
    assert set(guests(cloud, uuid)) - {instance.host} == (
        set() if instance.vm_state != states.RESIZED else {other(instance.host)}
    )
    assert agrees(cloud)


@pytest.mark.parametrize("operation", sorted(states.MIGRATIONS))
@pytest.mark.parametrize("delivered", range(9))
def test_a_delete_wins(cloud: Cloud, operation: str, delivered: int):
    """After any message it leaves no guest and no room on either host."""
    uuid, _ = ask(cloud, operation)
    for _ in range(delivered):
        cloud.broker.deliver_one()
    again(cloud, "delete", uuid)
    cloud.run()
    cloud.return_hosts()
    assert cloud.instance(uuid).vm_state == states.DELETED
    assert guests(cloud, uuid) == {}
    assert agrees(cloud)


def test_messages_come_twice(cloud: Cloud):
    """The second one of each finds that its step is not due any more."""
    cloud.duplicate("conductor", "compute.host-1", "compute.host-2")
    uuid, _ = ask(cloud, "revert_resize")
    cloud.run()
    assert (cloud.instance(uuid).vm_state, status(cloud)) == (states.ACTIVE, "reverted")
    assert agrees(cloud)


def test_an_administrator_resets_a_resized_server(cloud: Cloud):
    """It keeps its room where it is, and the guest that was kept for its return goes."""
    uuid = ready_for(cloud, "confirm_resize")
    assert cloud.request("POST", f"/servers/{uuid}/action", {"os-resetState": {"state": "active"}}, user="admin")
    for compute in cloud.computes.values():
        compute.reconcile()
    assert guests(cloud, uuid) == {cloud.instance(uuid).host: states.RUNNING}
    assert agrees(cloud)


# ---- without its owner


def test_a_resized_server_is_confirmed_in_time(cloud: Cloud):
    """When the operator has set a window, and it is over; not before."""
    uuid = ready_for(cloud, "confirm_resize")
    settings = cloud.settings("conductor", "ctl", **{"operations.resize_confirm_window": 60})
    now = datetime.now(UTC)
    for seconds, then in (30, states.RESIZED), (61, states.ACTIVE):
        notifier = rpc.Notifier(cloud.peers["conductor.ctl"], "conductor.ctl")
        Confirmer(settings, cloud.db, notifier, lambda seconds=seconds: now + timedelta(seconds=seconds)).confirm()
        cloud.sweep()
        cloud.sweep()
        assert cloud.instance(uuid).vm_state == then
    assert (status(cloud), list(guests(cloud, uuid))) == ("confirmed", [cloud.instance(uuid).host])
    assert agrees(cloud)


# ---- the list of them


def test_migrations_are_listed(cloud: Cloud):
    """The latest first, by what they have and page by page; projects see nothing of them."""
    uuids = [ready_for(cloud, "confirm_resize"), ready_for(cloud, "resize")]
    again(cloud, "migrate", uuids[1])
    cloud.run()
    source = next(host for host, runs in guests(cloud, uuids[0]).items() if runs == states.SHUTDOWN)

    def listed(query: str = "", user: str = "admin", version: str = "2.96") -> Any:
        return cloud.request("GET", f"/os-migrations{query}", user=user, version=version)

    found = listed().json["migrations"]
    assert [(it["instance_uuid"], it["migration_type"], it["status"]) for it in found] == [
        (uuids[1], "migration", "finished"), (uuids[0], "resize", "finished")
    ]  # fmt: skip
    assert (found[1]["source_compute"], found[1]["old_instance_type_id"] == found[1]["new_instance_type_id"]) == (
        source, False
    )  # fmt: skip
    for query, count in {
        f"?instance_uuid={uuids[0]}": 1, "?status=error": 0, "?migration_type=resize": 1, "?source_compute=host-9": 0,
        f"?host={source}": 2, "?limit=1": 1, f"?marker={found[0]['uuid']}": 1, "?project_id=none": 0,
        "?changes-since=2000-01-01T00:00:00": 2, "?changes-before=2000-01-01T00:00:00": 0,
    }.items():  # fmt: skip
        assert len(listed(query).json["migrations"]) == count, query
    assert "migrations_links" in listed("?limit=1").json
    assert "uuid" not in listed(version="2.23").json["migrations"][0]
    assert listed(user="demo").status_code == 403


# ---- what the storms found


def test_an_old_build_leaves_the_guest_that_is_kept(cloud: Cloud):
    """Its message comes again when the server was resized meanwhile (the simulation found it: seed 5034)."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()
    source = cloud.instance(uuid).host
    (build,) = [copy(it) for it in cloud.broker.queues[f"compute.{source}"].messages]
    cloud.run()
    again(cloud, "resize", uuid)
    cloud.run()
    cloud.broker.queues[f"compute.{source}"].messages.append(build)
    cloud.run()
    assert set(guests(cloud, uuid)) == set(cloud.computes)
    again(cloud, "revert_resize", uuid)
    cloud.run()
    assert (cloud.instance(uuid).vm_state, guests(cloud, uuid)) == (states.ACTIVE, {source: states.RUNNING})


# ---- what a host may not do


@pytest.mark.parametrize("claims_it", ["as it is", "as its own"])
def test_a_host_takes_no_step_of_another(cloud: Cloud, claims_it: str):
    """Neither where another host's step is due, nor by saying that the step is its own: the row tells."""
    uuid, _ = ask(cloud, "resize")
    while not due(cloud, uuid, "migrate"):
        assert cloud.broker.deliver_one()
    host = host_of(cloud, uuid)
    with cloud.db.read() as tx:
        migration = server_migrations.of_instance(tx, uuid)
    if claims_it == "as its own":
        migration = migration.replace(source_compute=other(host), dest_compute=host)
    thief = ConductorAPI(cloud.peers[f"compute.{other(host)}"])
    with pytest.raises((rpc.Forbidden, errors.InstanceNotFound)):
        thief.end_step(service_context(), migration, states.SHUTDOWN)
    assert due(cloud, uuid, "migrate")
