"""Servers that are shelved, leave their hosts, and come back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import states
from mininova.conductor.shelving import Shelving
from mininova.db import claims, unneeded_images
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import Image
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import action_of, again, ready_for, steps


def shelved_images(cloud: Cloud) -> list[Image]:
    """List the images that were made of servers; none of them is noted as unneeded."""
    with cloud.db.read() as tx:
        assert unneeded_images.search(tx, 10) == []
        return [image for image in images.search(tx) if image.id != cloud.image]


def claimed(cloud: Cloud, uuid: str) -> str | None:
    """Name the host where a server has room."""
    with cloud.db.read() as tx:
        return claims.hosts_of(tx, [uuid]).get(uuid)


def guests(cloud: Cloud) -> dict[str, list[str]]:
    """List the guests of each host."""
    return {host: compute.driver.list_instance_uuids() for host, compute in cloud.computes.items()}


def unshelve(cloud: Cloud, uuid: str, *, version: str = "2.96", user: str = "demo", **where: Any) -> Any:
    answer = cloud.request("POST", f"/servers/{uuid}/action", {"unshelve": where or None}, version=version, user=user)
    cloud.run()
    return answer


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud of two hosts that offloads what was shelved at once."""
    return make_cloud(shelved_offload_time=0)


@pytest.fixture
def offloaded(cloud: Cloud) -> str:
    """Shelve a server, which leaves its host."""
    uuid = ready_for(cloud, "shelve")
    again(cloud, "shelve", uuid)
    cloud.run()
    return uuid


# ---- off its host


def test_a_shelved_server_leaves_its_host(cloud: Cloud, offloaded: str) -> None:
    """It has no host, no claim and no guest; it has its address, and an image of its own name."""
    server, shown = cloud.instance(offloaded), cloud.show(offloaded)
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:host"]) == ("SHELVED_OFFLOADED", None)
    assert (server.host, server.node, server.power_state) == (None, None, states.NOSTATE)
    assert len(server.addresses) == 1
    assert (claimed(cloud, offloaded), [*guests(cloud).values()]) == (None, [[], []])
    assert [(image.name, image.status) for image in shelved_images(cloud)] == [("one-shelved", "active")]
    assert cloud.audit()[0] == 0


def test_events(cloud: Cloud, offloaded: str) -> None:
    """Nova's names, in Nova's order."""
    told = [event.method for event in cloud.events if event.kind == "sent" and "shelve" in event.method]
    ours = [method.removeprefix("compute.instance.") for method in told if method.startswith("compute.instance.")]
    assert ours == ["shelve.start", "shelve.end", "shelve_offload.start", "shelve_offload.end"]


def test_a_shelved_server_keeps_its_host_for_a_while(make_cloud: Callable[..., Cloud]) -> None:
    """Until then its guest is there, stopped; then a conductor has it removed."""
    cloud = make_cloud(shelved_offload_time=60)
    uuid = ready_for(cloud, "unshelve")
    cloud.sweep()
    server = cloud.instance(uuid)
    assert (server.vm_state, server.power_state, claimed(cloud, uuid)) == ("shelved", states.SHUTDOWN, server.host)
    sweeper = cloud.sweeper
    later = lambda: datetime.now(UTC) + timedelta(seconds=30)  # noqa: E731 - no service is taken for dead
    Shelving(sweeper.conf, cloud.db, sweeper.builds, sweeper._snapshots, later).offload_due()
    assert cloud.instance(uuid).task_state is None
    sweeper.conf.set_override("shelved_offload_time", 20, group="operations")
    Shelving(sweeper.conf, cloud.db, sweeper.builds, sweeper._snapshots, later).offload_due()
    cloud.run()
    assert cloud.instance(uuid).vm_state == states.SHELVED_OFFLOADED


def test_a_host_that_is_down_is_not_asked(make_cloud: Callable[..., Cloud]) -> None:
    """The server stays shelved until its host is back."""
    cloud = make_cloud(shelved_offload_time=3600)
    uuid = ready_for(cloud, "unshelve")
    host = str(cloud.instance(uuid).host)
    cloud.lose_host(host)
    cloud.sweeper.conf.set_override("shelved_offload_time", 0, group="operations")
    cloud.sweep()
    assert (cloud.instance(uuid).vm_state, cloud.instance(uuid).task_state) == (states.SHELVED, None)


# ---- and back


def test_an_offloaded_server_is_unshelved(cloud: Cloud, offloaded: str) -> None:
    """It runs on a host that the scheduler chose, with its address, and its image is gone."""
    before = cloud.instance(offloaded)
    answer = unshelve(cloud, offloaded)
    server = cloud.instance(offloaded)
    assert (server.vm_state, server.task_state, server.power_state) == ("active", None, states.RUNNING)
    assert (server.addresses, server.image_ref) == (before.addresses, cloud.image)
    assert claimed(cloud, offloaded) == server.host
    assert guests(cloud)[str(server.host)] == [offloaded]
    assert shelved_images(cloud) == []
    action = action_of(cloud, offloaded, answer.headers["x-openstack-request-id"])
    assert (action.action, steps(action)) == ("unshelve", [("compute_unshelve_instance", "Success")])
    assert cloud.audit()[0] == 0


def test_to_a_host(cloud: Cloud, offloaded: str) -> None:
    """An administrator may name one, and nobody else."""
    for host in ("host-2", "host-1"):
        assert unshelve(cloud, offloaded, host=host).status_code == 403
        assert unshelve(cloud, offloaded, host=host, user="admin").status_code == 202
        assert cloud.instance(offloaded).host == host
        again(cloud, "shelve", offloaded)
        cloud.run()


@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        ({"availability_zone": "mars"}, 400, "The requested availability zone is not available"),
        ({"host": "host-9"}, 400, "Compute host host-9 could not be found."),
    ],
)
def test_where_it_cannot_go(cloud: Cloud, offloaded: str, where: Any, status: int, words: str) -> None:
    """The answer says why, and the server stays offloaded."""
    answer = unshelve(cloud, offloaded, user="admin", **where)
    assert (answer.status_code, answer.json["badRequest"]["message"]) == (status, words)
    assert cloud.instance(offloaded).task_state is None


def test_a_zone_is_only_for_what_is_offloaded(make_cloud: Callable[..., Cloud]) -> None:
    """A shelved server starts where it is."""
    cloud = make_cloud()
    uuid = ready_for(cloud, "unshelve")
    answer = unshelve(cloud, uuid, availability_zone="nova")
    assert answer.status_code == 409
    assert "must be SHELVED_OFFLOADED" in answer.text
    assert unshelve(cloud, uuid).status_code == 202
    assert (cloud.instance(uuid).vm_state, shelved_images(cloud)) == (states.ACTIVE, [])


def stays_offloaded(cloud: Cloud, uuid: str, answer: Any, words: str) -> None:
    """The server is as it was before, and the action says why."""
    action = action_of(cloud, uuid, answer.headers["x-openstack-request-id"])
    assert words in str(action.events[0].traceback)
    server = cloud.instance(uuid)
    assert (server.vm_state, server.task_state, server.host) == (states.SHELVED_OFFLOADED, None, None)
    assert (claimed(cloud, uuid), [*guests(cloud).values()]) == (None, [[], []])


def test_no_host_has_room(cloud: Cloud, offloaded: str) -> None:
    """Its step is the conductor's."""
    for host in ("host-1", "host-2"):
        cloud.lose_host(host)
    stays_offloaded(cloud, offloaded, unshelve(cloud, offloaded), "No valid host")


def test_its_image_is_gone(cloud: Cloud, offloaded: str) -> None:
    """Its owner has deleted it."""
    with cloud.db.write() as tx:
        images.delete(tx, shelved_images(cloud)[0].id)
    stays_offloaded(cloud, offloaded, unshelve(cloud, offloaded), "could not be found")


@pytest.mark.parametrize("kind", ["error", "halfway"])
def test_its_host_cannot_make_it(cloud: Cloud, offloaded: str, kind: str) -> None:
    """What is left of the guest is removed, and it can be tried again."""
    failing = f"[{{operation: spawn, failure: {{kind: {kind}, message: out of luck}}}}]"
    (cloud.path / "behaviour.yaml").write_text(failing)
    stays_offloaded(cloud, offloaded, unshelve(cloud, offloaded), "out of luck")
    (cloud.path / "behaviour.yaml").write_text("[]\n")
    unshelve(cloud, offloaded)
    assert cloud.instance(offloaded).vm_state == states.ACTIVE


def test_its_host_dies(cloud: Cloud, offloaded: str) -> None:
    """It is offloaded as before; a guest that its host has made goes when the host is back."""
    answer = cloud.request("POST", f"/servers/{offloaded}/action", {"unshelve": None})
    cloud.broker.deliver_one()
    cloud.lose_host(str(cloud.instance(offloaded).host))
    cloud.sweep()
    cloud.sweep()
    stays_offloaded(cloud, offloaded, answer, "is down")


@pytest.mark.parametrize("delivered", range(4))
def test_its_messages_are_lost(cloud: Cloud, offloaded: str, delivered: int) -> None:
    """A conductor takes it up from where its record is."""
    cloud.request("POST", f"/servers/{offloaded}/action", {"unshelve": None})
    for _ in range(delivered):
        cloud.broker.deliver_one()
    cloud.lose_messages()
    cloud.sweep()
    cloud.sweep()
    server = cloud.instance(offloaded)
    assert (server.vm_state, claimed(cloud, offloaded)) == (states.ACTIVE, server.host)
    assert guests(cloud)[str(server.host)] == [offloaded]


def test_no_host_is_used_without_a_claim(cloud: Cloud, offloaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tests/cloud/test_sweeper.py sees for other operations: a host is chosen anew."""
    with monkeypatch.context() as patch:
        patch.setattr(claims, "claim_all", lambda *asked: {})
        unshelve(cloud, offloaded)
    assert (cloud.instance(offloaded).host, [*guests(cloud).values()]) == (None, [[], []])
    cloud.sweep()
    cloud.sweep()
    assert claimed(cloud, offloaded) == cloud.instance(offloaded).host is not None
    assert cloud.audit()[0] == 0


def test_messages_come_twice(cloud: Cloud, offloaded: str) -> None:
    """One guest is made, and one room is claimed."""
    cloud.duplicate("conductor", "compute.host-1", "compute.host-2")
    unshelve(cloud, offloaded)
    assert cloud.instance(offloaded).vm_state == states.ACTIVE
    assert sorted(len(found) for found in guests(cloud).values()) == [0, 1]
    assert cloud.audit()[0] == 0


# ---- its end


def test_deleted_while_it_is_offloaded(cloud: Cloud, offloaded: str) -> None:
    """Its image goes with it."""
    with cloud.restorable():
        assert cloud.request("DELETE", f"/servers/{offloaded}").status_code == 204
    assert cloud.instance(offloaded).vm_state == states.DELETED
    cloud.sweep()
    assert shelved_images(cloud) == []


def test_deleted_while_it_is_unshelved(cloud: Cloud, offloaded: str) -> None:
    """The delete wins; nothing is left of a guest, a claim or the image."""
    cloud.request("POST", f"/servers/{offloaded}/action", {"unshelve": None})
    cloud.broker.deliver_one()
    again(cloud, "delete", offloaded)
    cloud.run()
    cloud.sweep()
    assert cloud.instance(offloaded).vm_state == states.DELETED
    assert (claimed(cloud, offloaded), [*guests(cloud).values()], shelved_images(cloud)) == (None, [[], []], [])


def test_a_failed_shelving_leaves_no_image(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is where it was; its host writes that the guest is stopped."""
    uuid = ready_for(cloud, "shelve")

    def away(*asked: Any, **more: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(cloud.images, "upload", away)
    again(cloud, "shelve", uuid)
    cloud.run()
    assert (cloud.instance(uuid).vm_state, shelved_images(cloud)) == (states.ACTIVE, [])
    cloud.computes[str(cloud.instance(uuid).host)].reconcile()
    assert cloud.instance(uuid).vm_state == states.STOPPED
