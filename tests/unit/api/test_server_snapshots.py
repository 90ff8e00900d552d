"""POST /servers/{id}/action: createImage and createBackup."""

from typing import Any

import pytest

from mininova import rpc, states
from mininova.db import open_operations
from tests.fixtures.api_harness import IMAGE

BACKUP = {"name": "nightly", "backup_type": "daily", "rotation": 1}


def act(api: Any, uuid: str, action: str, body: Any, version: str = "2.96", **more: Any):
    return api("POST", f"/servers/{uuid}/action", {action: body}, version=version, **more)


def made(api: Any) -> list[str]:
    return [image_id for image_id in api.images.there if image_id != IMAGE]


def test_an_image_is_begun(api: Any) -> None:
    """It is made in the name of the user, the record says which it is, and the host is asked for the disk."""
    uuid = api.active()
    answer = act(api, uuid, "createImage", {"name": "gold", "metadata": {"a": "b"}})
    assert (answer.status, answer.body) == (202, {"image_id": made(api)[0]})
    more = api.images.made[made(api)[0]]
    assert more["properties"].items() >= {"a": "b", "instance_uuid": uuid, "image_type": "snapshot"}.items()
    with api.db.read() as tx:
        recorded = open_operations.of(tx, uuid)
    assert (recorded.operation, recorded.arguments.makes) == ("snapshot", made(api)[0])
    assert [method for _, method, *_ in api.compute.sent] == ["snapshot_instance"]
    assert api.instance(uuid).task_state == states.IMAGE_SNAPSHOT_PENDING


def test_a_backup_is_begun(api: Any) -> None:
    """Its type and its rotation are recorded; a number may be a string."""
    uuid = api.active()
    answer = act(api, uuid, "createBackup", BACKUP | {"rotation": "3"})
    assert (answer.status, answer.body) == (202, {"image_id": made(api)[0]})
    assert api.images.made[made(api)[0]]["properties"]["backup_type"] == "daily"
    with api.db.read() as tx:
        recorded = open_operations.of(tx, uuid)
    assert (recorded.arguments.backup_type, recorded.arguments.rotation) == ("daily", 3)
    assert api.instance(uuid).task_state == states.IMAGE_BACKUP


@pytest.mark.parametrize(("action", "body"), [("createImage", {"name": "gold"}), ("createBackup", BACKUP)])
def test_older_microversions_say_where_the_image_is(api: Any, action: str, body: Any) -> None:
    """Before 2.45 the answer has no body."""
    answer = act(api, api.active(), action, body, version="2.44")
    assert (answer.status, answer.body) == (202, None)
    assert answer.headers["Location"].endswith(f"/images/{made(api)[0]}")


def test_a_backup_that_is_not_kept_is_nowhere(api: Any) -> None:
    """With a rotation of 0 there is no Location, as in Nova."""
    answer = act(api, api.active(), "createBackup", BACKUP | {"rotation": 0}, version="2.1")
    assert (answer.status, "Location" in answer.headers) == (202, False)


@pytest.mark.parametrize("vm_state", [states.ERROR, states.RESCUED, states.SOFT_DELETED])
def test_a_server_in_another_state(api: Any, vm_state: str) -> None:
    """It is refused before an image is made."""
    uuid = api.active()
    api.change(uuid, vm_state=vm_state)
    answer = act(api, uuid, "createImage", {"name": "gold"})
    assert (answer.status, made(api)) == (409, [])
    assert "'createImage'" in answer.message


def test_an_operation_that_could_not_be_sent(api: Any) -> None:
    """Its image is deleted, and the server is as it was."""
    uuid = api.active()
    api.compute.broken = rpc.Undeliverable("no queue")
    answer = act(api, uuid, "createBackup", BACKUP)
    assert (answer.status, made(api), api.instance(uuid).task_state) == (409, [], None)


def test_too_much_metadata(api: Any) -> None:
    """The quota of metadata counts up to microversion 2.38."""
    metadata = {f"k{n}": "v" for n in range(129)}
    uuid = api.active()
    answer = act(api, uuid, "createImage", {"name": "gold", "metadata": metadata}, version="2.38")
    assert (answer.status, answer.message, made(api)) == (403, "Image metadata limit exceeded", [])
    assert act(api, uuid, "createImage", {"name": "gold", "metadata": metadata}, version="2.39").status == 202


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("createImage", {"name": ""}),
        ("createImage", {"name": "x" * 256}),
        ("createImage", {"name": "gold", "metadata": {"k": "v" * 256}}),
        ("createBackup", BACKUP | {"rotation": -1}),
        ("createBackup", {"name": "nightly", "rotation": 1}),
    ],
)
def test_a_bad_body(api: Any, action: str, body: Any) -> None:
    """The schema refuses it."""
    assert act(api, api.active(), action, body).status == 400
