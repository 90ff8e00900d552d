"""Metadata and tags."""

from typing import Any

import pytest


@pytest.fixture
def uuid(api: Any) -> str:
    return api.active(version="2.52", metadata={"a": "1", "b": "2"}, tags=["x"])


# ---- metadata


def test_items_are_set_beside_or_instead(api: Any, uuid: str) -> None:
    """POST adds, PUT replaces."""
    path = f"/servers/{uuid}/metadata"
    assert api("POST", path, {"metadata": {"b": "3", "c": "4"}}).body == {"metadata": {"a": "1", "b": "3", "c": "4"}}
    assert api("PUT", path, {"metadata": {"z": "0"}}).body == {"metadata": {"z": "0"}}
    assert api("GET", path).body == {"metadata": {"z": "0"}}


def test_one_item_is_shown_set_and_unset(api: Any, uuid: str) -> None:
    """Each item has a URL of its own."""
    path = f"/servers/{uuid}/metadata/a"
    assert api("GET", path).body == {"meta": {"a": "1"}}
    assert api("PUT", path, {"meta": {"a": "9"}}).body == {"meta": {"a": "9"}}
    assert api("DELETE", path).status == 204
    assert api.instance(uuid).metadata == {"b": "2"}
    for method in ("GET", "DELETE"):
        assert api(method, path).message == "Metadata item was not found"


def test_the_item_must_be_the_one_in_the_url(api: Any, uuid: str) -> None:
    """A body about another key is 400."""
    answer = api("PUT", f"/servers/{uuid}/metadata/a", {"meta": {"b": "1"}})
    assert (answer.status, answer.message) == (400, "Request body and URI mismatch")


def test_there_is_a_limit_to_the_items(api: Any, uuid: str) -> None:
    """Items that are already set count."""
    answer = api("POST", f"/servers/{uuid}/metadata", {"metadata": {f"k{n}": "" for n in range(127)}})
    assert (answer.status, answer.message) == (403, "Maximum number of metadata items exceeds 128")


def test_a_server_that_is_being_built_is_not_labelled(api: Any) -> None:
    """The error is 409 and names the state."""
    uuid = api.boot(version="2.52")
    for answer in (
        api("PUT", f"/servers/{uuid}/metadata", {"metadata": {}}),
        api("PUT", f"/servers/{uuid}/tags/t", version="2.26"),
    ):
        assert answer.status == 409
        assert answer.message.endswith("while it is in vm_state building")


# ---- tags


def tags(api: Any, method: str, path: str, body: Any = None):
    return api(method, path, body, version="2.26")


def test_a_tag_is_added_once(api: Any, uuid: str) -> None:
    """The first time is 201 with its URL, the second 204."""
    path = f"/servers/{uuid}/tags/y"
    answers = [tags(api, "PUT", path) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 204]
    assert answers[0].headers["Location"] == f"http://localhost/v2.1{path}"
    assert tags(api, "GET", f"/servers/{uuid}/tags").body == {"tags": ["x", "y"]}


def test_tags_are_replaced_and_removed(api: Any, uuid: str) -> None:
    """A request replaces all tags, or removes one or all."""
    path = f"/servers/{uuid}/tags"
    assert tags(api, "PUT", path, {"tags": ["c", "b", "c"]}).body == {"tags": ["b", "c"]}
    assert tags(api, "DELETE", f"{path}/b").status == 204
    assert tags(api, "GET", f"{path}/c").status == 204
    assert tags(api, "GET", f"{path}/b").message == f"Server {uuid} has no tag 'b'"
    assert tags(api, "DELETE", f"{path}/b").message == f"Instance {uuid} has no tag 'b'"
    assert tags(api, "DELETE", path).status == 204
    assert api.instance(uuid).tags == ()


def test_a_tag_has_no_commas(api: Any, uuid: str) -> None:
    """Commas separate tags in a query."""
    assert tags(api, "PUT", f"/servers/{uuid}/tags/a,b").message.startswith("Tag 'a,b' is invalid.")


def test_there_is_a_limit_to_the_tags(api: Any, uuid: str) -> None:
    """A server can have fifty tags, and the next one is refused."""
    tags(api, "PUT", f"/servers/{uuid}/tags", {"tags": [str(n) for n in range(50)]})
    answer = tags(api, "PUT", f"/servers/{uuid}/tags/more")
    assert (answer.status, answer.message) == (400, "The number of tags exceeded the per-server limit 50")


def test_tags_came_with_2_26(api: Any, uuid: str) -> None:
    """Before, the URL is 404."""
    assert api("GET", f"/servers/{uuid}/tags", version="2.25").status == 404
