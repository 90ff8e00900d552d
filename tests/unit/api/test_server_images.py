"""POST /servers/{id}/action: rebuild and rescue."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import rpc
from mininova.db import instances, open_operations, request_specs
from mininova.objects import ImageMeta
from tests.fixtures.api_harness import IMAGE

OTHER = "22222222-2222-4222-8222-222222222222"


def act(api: Any, uuid: str, action: str, body: Any, version: str = "2.96"):
    return api("POST", f"/servers/{uuid}/action", {action: body}, version=version)


def add_image(api: Any, **more: Any) -> str:
    api.images.there[OTHER] = ImageMeta(id=OTHER, **more)
    return OTHER


# ---- rebuild


def test_a_rebuild_changes_what_it_says(api: Any) -> None:
    """The answer has the new image and names, and the record has the image for a conductor that sends it again.

    The guest is made of the old one yet, as the request spec says.
    """
    uuid, image = api.active(metadata={"old": "1"}), add_image(api, name="newer")
    body = {"imageRef": image, "name": "new", "metadata": {"a": "b"}, "description": "anew", "user_data": "aGVsbG8="}
    answer = act(api, uuid, "rebuild", body)
    server = answer.body["server"]
    assert answer.status == 202
    assert (server["image"]["id"], server["name"], server["metadata"]) == (OTHER, "new", {"a": "b"})
    assert (server["status"], server["description"], server["user_data"]) == ("REBUILD", "anew", "aGVsbG8=")
    assert len(server["adminPass"]) == 12
    with api.db.read() as tx:
        due = open_operations.due(tx, datetime.now(UTC) + timedelta(minutes=1), 10)
        assert [it.arguments.image.name for it in due if it.operation == "rebuild"] == ["newer"]
        assert request_specs.get(tx, uuid).spec.image.id == IMAGE
    ((_, method, instance, (sent, has_volumes)),) = api.compute.sent
    assert (method, instance.image_ref, sent.id, has_volumes) == ("rebuild_instance", OTHER, OTHER, False)


def test_a_rebuild_that_no_host_takes(api: Any) -> None:
    """The server is as it was, as if nothing had been asked."""
    uuid, image = api.active(metadata={"old": "1"}, user_data="aGVsbG8="), add_image(api, name="newer")
    before = api.instance(uuid)
    api.compute.broken = rpc.Undeliverable("no queue")
    body = {"imageRef": image, "name": "new", "metadata": {"a": "b"}, "description": "anew", "user_data": "aGk="}
    assert act(api, uuid, "rebuild", body).status == 409
    after = api.instance(uuid)
    assert after.image_ref == IMAGE
    assert after.replace(generation=before.generation, updated_at=before.updated_at) == before
    with api.db.read() as tx:
        assert instances.user_data(tx, [uuid]) == {uuid: "aGVsbG8="}


def test_a_rebuild_keeps_what_it_does_not_say(api: Any) -> None:
    """The name, the metadata and the user data stay."""
    uuid = api.active(metadata={"old": "1"}, user_data="aGVsbG8=")
    before = api.instance(uuid)
    server = act(api, uuid, "rebuild", {"imageRef": before.image_ref}).body["server"]
    assert (server["name"], server["metadata"], server["user_data"]) == (
        before.display_name, {"old": "1"}, "aGVsbG8=",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("image", "body", "words"),
    [
        (None, {"imageRef": OTHER}, "Cannot find image for rebuild"),
        ({"status": "queued"}, {"imageRef": OTHER}, f"Image {OTHER} is not active."),
        ({"min_ram": 99999}, {"imageRef": OTHER}, "Flavor's memory is too small"),
        ({"min_disk": 999}, {"imageRef": OTHER}, "Flavor's disk is too small"),
        ({}, {"imageRef": OTHER, "key_name": "lost"}, "Invalid key_name provided."),
        ({}, {"imageRef": OTHER, "trusted_image_certificates": ["x"]}, "no key manager"),
    ],
)
def test_what_cannot_be_rebuilt_is_400(api: Any, image: Any, body: Any, words: str) -> None:
    """The answer says why, and the server is as it was."""
    uuid = api.active()
    if image is not None:
        add_image(api, **image)
    before = api.instance(uuid)
    answer = act(api, uuid, "rebuild", body)
    assert (answer.status, words in answer.message) == (400, True)
    assert api.instance(uuid) == before


# ---- rescue


def test_a_rescue_answers_with_a_password(api: Any) -> None:
    """Its own, or the one that was asked for; the host is sent the image of the server."""
    uuid = api.active()
    assert act(api, uuid, "rescue", {"adminPass": "chosen"}).body == {"adminPass": "chosen"}
    ((_, method, _, (image,)),) = api.compute.sent
    assert (method, image.id) == ("rescue_instance", api.instance(uuid).image_ref)
    assert len(act(api, api.active(), "rescue", None).body["adminPass"]) == 12


def test_a_rescue_takes_the_image_that_it_names(api: Any) -> None:
    """One that is not there is refused in Nova's words."""
    uuid = api.active()
    answer = act(api, uuid, "rescue", {"rescue_image_ref": OTHER})
    assert (answer.status, answer.message) == (400, f"Requested rescue image '{OTHER}' is not supported")
    add_image(api, name="tools")
    assert act(api, uuid, "rescue", {"rescue_image_ref": OTHER}).status == 200
    assert api.compute.sent[0][3][0].name == "tools"


def test_a_server_whose_image_is_gone_can_be_rescued(api: Any) -> None:
    """The host is told the image's id, which is all that is left of it."""
    uuid = api.active()
    api.change(uuid, image_ref=OTHER)
    assert act(api, uuid, "rescue", None).status == 200
    assert api.compute.sent[0][3][0].id == OTHER


# ---- a dump


@pytest.mark.parametrize(("vm_state", "status"), [("active", 202), ("paused", 202), ("stopped", 409)])
def test_a_dump_of_what_runs(api: Any, vm_state: str, status: int) -> None:
    """The host is asked, and the action is in the list."""
    uuid = api.active()
    api.change(uuid, vm_state=vm_state)
    assert act(api, uuid, "trigger_crash_dump", None).status == status
    listed = api("GET", f"/servers/{uuid}/os-instance-actions").body["instanceActions"]
    assert ("trigger_crash_dump" in [action["action"] for action in listed]) == (status == 202)
