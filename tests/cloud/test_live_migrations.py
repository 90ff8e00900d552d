"""Live migrations: a server goes elsewhere while it runs, or is kept from it."""

from typing import Any

import pytest

from mininova import states
from mininova.db import faults
from mininova.db.models import compute_nodes
from tests.fixtures.cloud import Cloud
from tests.fixtures.migrations import DOES, agrees, behave, claimed, due, guests, host_of, other, status
from tests.fixtures.operations import action_of, again, ask, ready_for

LIVE = {"host": None, "block_migration": "auto"}


def migrate_live(cloud: Cloud, uuid: str, version: str = "2.96", **asked: Any) -> Any:
    """Ask for a live migration; give the answer."""
    body = {"os-migrateLive": LIVE | asked}
    return cloud.request("POST", f"/servers/{uuid}/action", body, user="admin", version=version)


@pytest.mark.parametrize("before", [states.ACTIVE, states.PAUSED])
def test_a_server_goes_elsewhere_while_it_runs(cloud: Cloud, caplog: pytest.LogCaptureFixture, before: str):
    """Its guest is there as it was here, and was not started again; nothing is left here, and no room is kept.

    The log of each host says what was done, and from where to where.
    """
    caplog.set_level("INFO")
    uuid = ready_for(cloud, "unpause" if before == states.PAUSED else "pause")
    was = cloud.instance(uuid)
    assert migrate_live(cloud, uuid).status_code == 202
    assert (cloud.instance(uuid).task_state, cloud.show(uuid)["status"]) == (states.MIGRATING, "MIGRATING")
    cloud.run()
    now = cloud.instance(uuid)
    assert (now.vm_state, now.task_state, now.host) == (before, None, other(was.host))
    assert guests(cloud, uuid) == {now.host: states.POWER_PAUSED if before == states.PAUSED else states.RUNNING}
    assert now.launched_at == was.launched_at
    way = f"of the live-migration of instance {uuid} from {was.host} to {now.host}"
    assert {f"compute has done step {step} {way}" for step in ("pre_live", "live")} <= set(caplog.messages)
    assert status(cloud) == "completed"
    assert claimed(cloud) == {now.host: 512}
    assert agrees(cloud)


def test_a_live_migration_is_for_guests_that_run(cloud: Cloud):
    """It is a conflict for one that is stopped, and while another one is under way."""
    stopped, runs = ready_for(cloud, "start"), ready_for(cloud, "live_migrate")
    assert migrate_live(cloud, stopped).status_code == 409
    assert [migrate_live(cloud, runs).status_code for _ in range(2)] == [202, 409]


def test_a_live_migration_goes_where_an_administrator_says(cloud: Cloud):
    """Not to a host that is none; and not to its own, which is refused at once, or from 2.34 on found out later."""
    uuid = ready_for(cloud, "live_migrate")
    here = cloud.instance(uuid).host
    assert migrate_live(cloud, uuid, host="host-9").status_code == 400
    assert migrate_live(cloud, uuid, "2.30", force=True).status_code == 400
    assert migrate_live(cloud, uuid, "2.33", host=here).status_code == 400
    for version, asked in ("2.67", {"host": here, "force": True}), ("2.96", {"host": here}):
        assert migrate_live(cloud, uuid, version, **asked).status_code == 202
        cloud.run()
        assert (cloud.instance(uuid).host, cloud.instance(uuid).task_state, status(cloud)) == (here, None, "error")
        assert agrees(cloud)
    assert migrate_live(cloud, uuid, host=other(here)).status_code == 202
    cloud.run()
    assert (cloud.instance(uuid).host, status(cloud)) == (other(here), "completed")


@pytest.mark.parametrize(("version", "asked"), [("2.67", {"force": True}), ("2.67", {}), ("2.25", {})])
def test_a_forced_host_passes_no_filter(cloud: Cloud, version: str, asked: dict[str, Any]):
    """A disabled host gets what is forced there, as is each named host before 2.30; else there is no valid host."""
    uuid = ready_for(cloud, "live_migrate")
    here = cloud.instance(uuid).host
    there = other(here)
    disable = {"host": there, "binary": "nova-compute"}
    assert cloud.request("PUT", "/os-services/disable", disable, user="admin", version="2.52").status_code == 200
    assert migrate_live(cloud, uuid, version, host=there, **asked).status_code == 202
    cloud.run()
    forced = version == "2.25" or bool(asked)
    assert (cloud.instance(uuid).host, status(cloud)) == ((there, "completed") if forced else (here, "error"))
    assert agrees(cloud)


def test_a_forced_host_has_room(cloud: Cloud):
    """A host that is full takes nothing: the server stays, and its owner's administrator reads why."""
    uuid = ready_for(cloud, "live_migrate")
    here = cloud.instance(uuid).host
    with cloud.db.write() as tx:
        tx.execute(compute_nodes.update().where(compute_nodes.c.host != here).values(memory_mb=511))
    assert migrate_live(cloud, uuid, "2.67", host=other(here), force=True).status_code == 202
    cloud.run()
    assert (cloud.instance(uuid).host, cloud.instance(uuid).task_state, status(cloud)) == (here, None, "error")
    assert claimed(cloud) == {here: 512}
    with cloud.db.read() as tx:
        assert "too little room" in faults.latest(tx, [uuid])[uuid].message


def test_projects_do_not_migrate_live(cloud: Cloud):
    """A member of the project may not, with a host or without."""
    uuid = ready_for(cloud, "live_migrate")
    for host in None, "host-2":
        body = {"os-migrateLive": LIVE | {"host": host}}
        assert cloud.request("POST", f"/servers/{uuid}/action", body, version="2.96").status_code == 403


# ---- while it goes on


def test_a_live_migration_is_shown_while_it_goes_on(cloud: Cloud):
    """With its memory, which has arrived or has not; before and after that there is none, nor is a resize one."""
    uuid = ready_for(cloud, "live_migrate")
    source = cloud.instance(uuid).host

    def get(path: str = "", user: str = "admin") -> Any:
        return cloud.request("GET", f"/servers/{uuid}/migrations{path}", user=user)

    assert migrate_live(cloud, uuid).status_code == 202
    assert get().json == {"migrations": []}
    memory, seen = 512 * 1024**2, []
    while cloud.broker.deliver_one():
        for found in get().json["migrations"]:
            assert get(f"/{found['id']}").json == {"migration": found}
            assert (found["source_compute"], found["dest_compute"]) == (source, other(source))
            counts = [found[f"memory_{what}_bytes"] for what in ("total", "processed", "remaining")]
            seen.append((found["status"], *counts))
    assert list(dict.fromkeys(seen)) == [
        ("preparing", memory, None, memory), ("running", memory, None, memory), ("post-migrating", memory, memory, None)
    ]  # fmt: skip
    assert get().json == {"migrations": []}
    (live,) = cloud.request("GET", "/os-migrations", user="admin").json["migrations"]
    again(cloud, "resize", uuid)
    cloud.run()
    resize, _ = cloud.request("GET", "/os-migrations", user="admin").json["migrations"]
    for number, why in (live["id"], "is not in progress"), (resize["id"], "is not live-migration"), (99, "not found"):
        answer = get(f"/{number}")
        assert (answer.status_code, why in answer.json["itemNotFound"]["message"]) == (404, True)
    assert get(user="demo").status_code == 403


@pytest.mark.parametrize(("step", "version"), [("live", "2.24"), ("pre_live", "2.65")])
@pytest.mark.parametrize("begun", [True, False])
def test_a_live_migration_is_aborted(cloud: Cloud, monkeypatch: Any, step: str, version: str, begun: bool):
    """When a step is due, or in the middle of it: the server stays where it is, and can go elsewhere afterwards."""
    uuid, request_id = ask(cloud, "live_migrate")
    source = cloud.instance(uuid).host
    while not due(cloud, uuid, step):
        assert cloud.broker.deliver_one()
    (live,) = cloud.request("GET", "/os-migrations", user="admin").json["migrations"]

    def ask_to_abort(version: str = version) -> int:
        path = f"/servers/{uuid}/migrations/{live['id']}"
        return int(cloud.request("DELETE", path, user="admin", version=version).status_code)

    def abort(*asked: Any) -> None:
        assert (ask_to_abort(), cloud.instance(uuid).task_state, status(cloud)) == (202, None, "cancelled")

    if step == "pre_live":
        assert ask_to_abort("2.64") == 400
    with monkeypatch.context() as patch:
        if begun:
            patch.setattr(cloud.computes[host_of(cloud, uuid)].driver, DOES[step], abort)
        else:
            abort()
        cloud.run()
    assert ask_to_abort() == 409
    told = [event.method for event in cloud.events if event.kind == "sent" and "rollback.dest" in event.method]
    assert told == [f"compute.instance.live_migration.rollback.dest.{phase}" for phase in ("start", "end")]
    assert (cloud.instance(uuid).host, guests(cloud, uuid)) == (source, {source: states.RUNNING})
    assert "live_migration_cancel" in str(action_of(cloud, uuid, request_id).events[0].traceback)
    assert agrees(cloud)
    again(cloud, "live_migrate", uuid)
    cloud.run()
    assert (cloud.instance(uuid).host, status(cloud)) == (other(source), "completed")


def test_a_live_migration_is_forced_to_its_end(cloud: Cloud, monkeypatch: Any):
    """Its host is told while it sends the guest, and not when that is over; before and after that it is refused."""
    uuid, _ = ask(cloud, "live_migrate")
    source, hurried = cloud.instance(uuid).host, list[str]()
    driver = cloud.computes[source].driver

    def force(number: int = 1, version: str = "2.22", user: str = "admin") -> Any:
        path = f"/servers/{uuid}/migrations/{number}/action"
        return cloud.request("POST", path, {"force_complete": None}, user=user, version=version)

    def send(*asked: Any) -> None:
        assert [force(2).status_code, force(version="2.21").status_code, force(user="demo").status_code] == [
            400,
            404,
            403,
        ]
        answer = force()
        assert answer.status_code == 202
        assert (
            action_of(cloud, uuid, answer.headers["x-openstack-request-id"]).action == "live_migration_force_complete"
        )
        cloud.broker.deliver_one()
        assert (hurried, force().status_code) == ([uuid], 202)  # the second message comes late

    monkeypatch.setattr(driver, "live_migration", send)
    monkeypatch.setattr(driver, "live_migration_force_complete", lambda instance: hurried.append(instance.uuid))
    while not due(cloud, uuid, "pre_live"):
        cloud.broker.deliver_one()
    assert "is preparing. Cannot force complete while" in force().text
    cloud.run()
    assert (cloud.instance(uuid).host, hurried) == (other(source), [uuid])
    refused = force()
    assert (refused.status_code, "for 'force_complete'" in refused.text) == (409, True)
    assert agrees(cloud)


def test_a_guest_that_cannot_be_sent_is_rolled_back(cloud: Cloud):
    """Its host tells of that, and the one where it was to go; of one that is sent, that it has left."""
    uuid, _ = ask(cloud, "live_migrate")
    behave(cloud, "[{operation: live_migration, failure: {message: too busy}}]")
    for names in ("_rollback", "rollback.dest"), ("_post",):
        cloud.events.clear()
        cloud.run()
        parts = ("_rollback", "rollback.dest", "_post")
        told = [it.method for it in cloud.events if it.kind == "sent" and any(part in it.method for part in parts)]
        assert told == [
            f"compute.instance.live_migration.{name}.{phase}" for name in names for phase in ("start", "end")
        ]
        behave(cloud, "")
        again(cloud, "live_migrate", uuid)
