"""Images that are made of servers, and what becomes of them when something goes wrong."""

from typing import Any

import pytest

from mininova import errors, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import unneeded_images
from mininova.rpc import Forbidden
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import Image
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import action_of, again, open_operation, ready_for


def made(cloud: Cloud) -> list[Image]:
    """List the images that were made of servers, the latest first; none of them is noted as unneeded."""
    with cloud.db.read() as tx:
        assert unneeded_images.search(tx, 10) == []
        return [image for image in images.search(tx) if image.id != cloud.image]


def asked(cloud: Cloud, operation: str = "snapshot") -> tuple[str, str]:
    """Have an image be asked for of a server that runs; give the server's id and the request's."""
    uuid = ready_for(cloud, operation)
    return uuid, again(cloud, operation, uuid)


def back_up(cloud: Cloud, uuid: str, name: str, rotation: int, backup_type: str = "daily") -> Any:
    body = {"name": name, "backup_type": backup_type, "rotation": rotation}
    answer = cloud.request("POST", f"/servers/{uuid}/action", {"createBackup": body})
    cloud.run()
    assert answer.status_code == 202, answer.text
    return answer


def test_an_image_of_a_server(cloud: Cloud) -> None:
    """It has data, what its server's image says, and what Nova says of a snapshot; the server is as it was."""
    uuid, _ = asked(cloud)
    assert [image.status for image in made(cloud)] == ["queued"]
    cloud.run()
    (image,), server = made(cloud), cloud.instance(uuid)
    assert (image.status, image.name, image.visibility, image.min_disk) == ("active", "of one", "private", 1)
    assert (image.owner, image.container_format, image.disk_format) == (server.project_id, "bare", "qcow2")
    assert image.properties == {
        "description": "Not a real guest image: a stand-in for CirrOS",
        "base_image_ref": cloud.image, "instance_uuid": uuid, "user_id": server.user_id, "image_type": "snapshot",
        "image_location": "snapshot", "image_state": "available", "owner_id": server.project_id,
    }  # fmt: skip
    assert (server.vm_state, server.task_state, server.power_state) == (states.ACTIVE, None, states.RUNNING)
    assert cloud.boot(imageRef=image.id)


def test_an_administrators_image_is_shared_with_the_owner(cloud: Cloud) -> None:
    """It is the administrator's, and the owner of the server may use it."""
    uuid = ready_for(cloud, "snapshot")
    answer = cloud.request("POST", f"/servers/{uuid}/action", {"createImage": {"name": "theirs"}}, user="admin")
    cloud.run()
    image_id, owner = answer.json["image_id"], cloud.instance(uuid).project_id
    with cloud.db.read() as tx:
        assert images.get(tx, image_id, owner).visibility == "shared"
        assert images.get(tx, image_id).owner != owner


def test_a_locked_server(cloud: Cloud) -> None:
    """As in Nova, a lock does not keep images from being made."""
    uuid = ready_for(cloud, "snapshot")
    cloud.act(uuid, "lock")
    assert cloud.act(uuid, "createImage", {"name": "of a locked one"}) == 202


# ---- backups


def test_the_oldest_backups_make_way(cloud: Cloud) -> None:
    """So many of the type are left; those of another type, and other images of the server, stay."""
    uuid, _ = asked(cloud)
    cloud.run()
    back_up(cloud, uuid, "weekly", 1, "weekly")
    for name in ("first", "second", "third"):
        back_up(cloud, uuid, name, 2)
    assert [image.name for image in made(cloud)] == ["third", "second", "weekly", "of one"]


def test_no_backup_is_kept(cloud: Cloud) -> None:
    """With a rotation of 0 the new one goes, too, as in Nova; and the operation ended well."""
    uuid = ready_for(cloud, "backup")
    back_up(cloud, uuid, "first", 2)
    answer = back_up(cloud, uuid, "second", 0)
    assert made(cloud) == []
    assert action_of(cloud, uuid, answer.headers["x-openstack-request-id"]).message is None


# ---- what goes wrong


def ended_badly(cloud: Cloud, uuid: str, request_id: str, words: str) -> None:
    """The server is at rest where it was, the action says what went wrong, and there is no image."""
    action = action_of(cloud, uuid, request_id)
    assert action.message == "Error"
    assert words in str(action.events[0].traceback)
    server = cloud.instance(uuid)
    assert (server.vm_state, server.task_state) == (states.ACTIVE, None)
    assert made(cloud) == []


@pytest.mark.parametrize("operation", ["snapshot", "backup"])
def test_an_upload_fails(cloud: Cloud, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image service has no room: the image is deleted, and no word of the error's own is shown."""
    uuid, request_id = asked(cloud, operation)
    monkeypatch.setattr(cloud.images, "upload", fail(OSError("/srv/images: no space left")))
    cloud.run()
    ended_badly(cloud, uuid, request_id, "could not be uploaded: OSError")


def test_the_image_is_deleted_meanwhile(cloud: Cloud) -> None:
    """Its owner may; the operation ends with a fault that says so."""
    uuid, request_id = asked(cloud)
    with cloud.db.write() as tx:
        images.delete(tx, made(cloud)[0].id)
    cloud.run()
    ended_badly(cloud, uuid, request_id, "could not be found")


def test_its_host_is_dead(cloud: Cloud) -> None:
    """A conductor ends the operation, and deletes the image."""
    uuid, request_id = asked(cloud)
    cloud.lose_host(cloud.instance(uuid).host or "")
    cloud.sweep()
    ended_badly(cloud, uuid, request_id, "is down")


def test_the_server_is_deleted_meanwhile(cloud: Cloud) -> None:
    """The image goes when a conductor sweeps next."""
    uuid, _ = asked(cloud)
    again(cloud, "delete", uuid)
    cloud.run()
    cloud.sweep()
    assert made(cloud) == []
    assert cloud.instance(uuid).vm_state == states.DELETED


def test_the_image_service_is_away(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that cannot be deleted now is deleted in a later round."""
    uuid, request_id = asked(cloud)
    with monkeypatch.context() as patch:
        patch.setattr(cloud.images, "upload", fail(OSError("away")))
        patch.setattr(cloud.images, "delete", fail(OSError("away")))
        cloud.run()
    cloud.sweep()
    ended_badly(cloud, uuid, request_id, "could not be uploaded")


def test_a_protected_image_is_left_to_its_owner(cloud: Cloud) -> None:
    """It cannot be deleted, and is not tried for ever."""
    uuid, _ = asked(cloud)
    with cloud.db.write() as tx:
        images.update(tx, images.search(tx)[0].id, protected=True)
    cloud.lose_host(cloud.instance(uuid).host or "")
    cloud.sweep()
    assert [image.protected for image in made(cloud)] == [True]


def fail(error: Exception) -> Any:
    def failing(*asked: Any, **more: Any) -> None:
        raise error

    return failing


# ---- a host that is taken over


def test_a_host_uploads_nothing_that_was_not_asked_for(cloud: Cloud) -> None:
    """Whatever operation it names: none makes an image now, or another one does."""
    uuid = ready_for(cloud, "stop")
    host = cloud.instance(uuid).host
    conductor = ConductorAPI(cloud.peers[f"compute.{host}"])
    for operation in ("stop", "snapshot"):
        with pytest.raises(Forbidden):
            conductor.upload_snapshot(service_context(), cloud.instance(uuid), operation, "mine")
    cloud.silence(host or "")
    again(cloud, "backup", uuid)
    ctxt = open_operation(cloud.db, uuid).context
    cloud.run()
    with pytest.raises((Forbidden, errors.InstanceUpdateConflict)):
        conductor.upload_snapshot(ctxt, cloud.instance(uuid), "snapshot", "mine")
    with pytest.raises(Forbidden, match="snapshot"):
        conductor.upload_snapshot(ctxt, cloud.instance(uuid), "backup", "x" * 70000)
    assert [image.status for image in made(cloud)] == ["queued"]
