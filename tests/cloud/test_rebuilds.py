"""A rebuild that does not end well: what the server says it is made of, and what its guest is made of."""

from unittest import mock

import pytest

from mininova import states
from mininova.db import request_specs
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import again


@pytest.fixture
def other(cloud: Cloud) -> str:
    """Give an image that the cloud's first servers are not made of."""
    headers = {"X-Auth-Token": cloud.login()}
    wanted = {"name": "other", "disk_format": "raw", "container_format": "bare"}
    image = cloud.app.post("/image/v2/images", json=wanted, headers=headers).json["id"]
    as_data = headers | {"Content-Type": "application/octet-stream"}
    cloud.app.put(f"/image/v2/images/{image}/file", data=b"other", headers=as_data)
    return str(image)


@pytest.fixture
def server(cloud: Cloud) -> str:
    """Give a server that runs."""
    uuid = cloud.boot()
    cloud.run()
    return uuid


def rebuild(cloud: Cloud, server: str, image: str) -> None:
    """Ask for a rebuild; the answer shows the new image, as Nova's does."""
    answer = cloud.request("POST", f"/servers/{server}/action", {"rebuild": {"imageRef": image}})
    assert answer.json["server"]["image"]["id"] == image


def as_administrator(cloud: Cloud, server: str, action: dict[str, object]) -> None:
    """Post an action that a member may not."""
    assert cloud.request("POST", f"/servers/{server}/action", action, user="admin").status_code in (200, 202)


def guests(cloud: Cloud, server: str) -> list[str]:
    """Name the images that the server's guests are made of."""
    drivers = [compute.driver for compute in cloud.computes.values()]
    return [guest.image for driver in drivers for guest in driver.guests() if guest.uuid == server]


def image_of(cloud: Cloud, server: str) -> str:
    """Give the image that a server says it is made of; a move makes its guest of the same one."""
    shown = str(cloud.show(server)["image"]["id"])
    with cloud.db.read() as tx:
        assert request_specs.get(tx, server).spec.image.id == shown
    return shown


def test_its_host_dies_before_it_begins(cloud: Cloud, server: str, other: str):
    """The rebuild fails; the server is stopped afterwards, and is what it was (seed 71630 of tests/chaos)."""
    host = cloud.instance(server).host
    cloud.lose_host(host)
    rebuild(cloud, server, other)
    cloud.sweep()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.ERROR, cloud.image)
    cloud.return_host(host)
    cloud.act(server, "os-stop")
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.STOPPED, cloud.image)
    assert guests(cloud, server) == ["cirros"]


@pytest.mark.parametrize(("kind", "left"), [("error", []), ("halfway", ["other"])])
def test_its_guest_cannot_be_made(cloud: Cloud, server: str, other: str, kind: str, left: list[str]):
    """The old guest is gone, the server says of which image it was to be, and another rebuild mends it."""
    behaviour = cloud.path / "behaviour.yaml"
    behaviour.write_text(f"rules: [{{operation: rebuild, failure: {{kind: {kind}}}}}]")
    rebuild(cloud, server, other)
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.ERROR, other)
    assert guests(cloud, server) == left
    behaviour.write_text("")
    rebuild(cloud, server, cloud.image)
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.ACTIVE, cloud.image)
    assert guests(cloud, server) == ["cirros"]


def test_it_has_no_guest_between_the_two_disks(cloud: Cloud, server: str, other: str):
    """The old guest is destroyed before the server says that it is of the new image: its host may die just then."""
    seen, host = list[tuple[str, list[str]]](), cloud.computes[cloud.instance(server).host]
    update = host._conductor.update_instance

    def update_instance(ctxt, instance, operation, changes):
        seen.append((changes.task_state, guests(cloud, server)))
        return update(ctxt, instance, operation, changes)

    with mock.patch.object(host._conductor, "update_instance", update_instance):
        rebuild(cloud, server, other)
        cloud.run()
    assert seen[0] == (states.REBUILD_BLOCK_DEVICE_MAPPING, ["cirros"])
    assert seen[1] == (states.REBUILD_SPAWNING, [])


def test_its_old_guest_cannot_be_destroyed(cloud: Cloud, server: str, other: str):
    """The rebuild fails, and the server is of the old image, as its guest is."""
    behaviour = cloud.path / "behaviour.yaml"
    behaviour.write_text("rules: [{operation: destroy, failure: {message: the disk is busy}}]")
    rebuild(cloud, server, other)
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.ERROR, cloud.image)
    assert guests(cloud, server) == ["cirros"]
    assert "the disk is busy" in cloud.show(server)["fault"]["message"]


def test_its_state_is_reset_before_it_begins(cloud: Cloud, server: str, other: str):
    """The message comes too late, and changes nothing."""
    rebuild(cloud, server, other)
    as_administrator(cloud, server, {"os-resetState": {"state": "active"}})
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.ACTIVE, cloud.image)
    assert guests(cloud, server) == ["cirros"]


def test_the_server_is_soft_deleted_before_it_begins(cloud: Cloud, server: str, other: str):
    """Its message comes too late; the server is restored as what it was."""
    rebuild(cloud, server, other)
    again(cloud, "soft_delete", server)
    cloud.run()
    assert (cloud.instance(server).vm_state, image_of(cloud, server)) == (states.SOFT_DELETED, cloud.image)
    again(cloud, "restore", server)
    cloud.run()
    assert (cloud.instance(server).vm_state, guests(cloud, server)) == (states.ACTIVE, ["cirros"])


def test_the_server_is_evacuated_before_it_begins(cloud: Cloud, server: str, other: str):
    """Its guest is made elsewhere of the image that the server had."""
    host = cloud.instance(server).host
    cloud.lose_host(host)
    rebuild(cloud, server, other)
    as_administrator(cloud, server, {"evacuate": {}})
    cloud.run()
    cloud.return_host(host)
    cloud.run()
    assert cloud.instance(server).host != host
    assert (guests(cloud, server), image_of(cloud, server)) == (["cirros"], cloud.image)
