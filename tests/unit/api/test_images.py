"""Images, as old clients ask Nova for them."""

from typing import Any

import pytest

from mininova.objects import ImageMeta, ImageQuery
from tests.fixtures.api_harness import IMAGE


def get(api: Any, path: str = "", version: str = "2.35") -> Any:
    return api("GET", f"/images{path}", version=version)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?name=cirros&status=ACTIVE", {"name": "cirros", "status": "active"}),
        ("?minRam=512&minDisk=1", {"min_ram": 512, "min_disk": 1}),
        (
            "?server=http://cloud/servers/abc&type=backup",
            {"properties": {"instance_uuid": "abc", "image_type": "backup"}},
        ),
        ("?property-a=b&limit=5&marker=xyz", {"properties": {"a": "b"}, "limit": 5, "marker": "xyz"}),
    ],
)
def test_a_query_is_passed_on_to_the_image_service(api: Any, query: str, wanted: dict[str, Any]) -> None:
    """Nova's words for what is asked for, in those of the image service."""
    assert get(api, query).status == 200
    assert api.images.asked == ImageQuery(**{"limit": 1000, **wanted})


@pytest.mark.parametrize(("query", "words"), [("?minRam=x", "minRam"), ("?changes-since=x", "changes-since")])
def test_a_filter_without_a_meaning_is_400(api: Any, query: str, words: str) -> None:
    """The answer names it."""
    answer = get(api, query)
    assert (answer.status, words in answer.message) == (400, True)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("queued", ("SAVING", 25)),
        ("saving", ("SAVING", 50)),
        ("active", ("ACTIVE", 100)),
        ("deactivated", ("UNKNOWN", 0)),
    ],
)
def test_the_status_is_in_novas_words(api: Any, status: str, shown: tuple[str, int]) -> None:
    """How far it is, is a number made of it."""
    api.images.there[IMAGE] = ImageMeta(id=IMAGE, name="cirros", status=status)
    image = get(api, f"/{IMAGE}").body["image"]
    assert (image["status"], image["progress"]) == shown


def test_a_snapshot_links_to_its_server(api: Any) -> None:
    """Whose it is follows from a property that Nova gave it."""
    uuid = api.active()
    api.images.there[IMAGE] = ImageMeta(id=IMAGE, properties={"instance_uuid": uuid, "auto_disk_config": "False"})
    image = get(api, f"/{IMAGE}").body["image"]
    assert (image["server"]["id"], image["OS-DCF:diskConfig"]) == (uuid, "MANUAL")
    assert [link["rel"] for link in image["links"]] == ["self", "bookmark", "alternate"]


def test_metadata_is_written_item_by_item(api: Any) -> None:
    """Items are added, set, removed and all replaced; a key that is not there is 404, and two that differ are 400."""
    url = f"/images/{IMAGE}/metadata"

    def do(method: str, path: str = "", body: Any = None) -> Any:
        return api(method, url + path, body, version="2.38")

    assert do("POST", body={"metadata": {"a": "1", "b": "2"}}).body == {"metadata": {"a": "1", "b": "2"}}
    assert do("PUT", "/a", {"meta": {"a": "3"}}).body == {"meta": {"a": "3"}}
    assert do("PUT", "/a", {"meta": {"b": "3"}}).status == 400
    assert do("DELETE", "/b").status == 204
    assert [do(method, "/b").status for method in ("GET", "DELETE")] == [404, 404]
    assert do("GET").body == {"metadata": {"a": "3"}}
    assert do("PUT", body={"metadata": {"c": "4"}}).body == {"metadata": {"c": "4"}}
    assert do("GET", "/c").body == {"meta": {"c": "4"}}


def test_an_image_has_no_more_metadata_than_the_quota(make_api: Any, db: Any) -> None:
    """The quota is that of a server's metadata."""
    api = make_api(**{"quota.metadata_items": 1})
    answer = api("POST", f"/images/{IMAGE}/metadata", {"metadata": {"a": "1", "b": "2"}}, version="2.1")
    assert (answer.status, api.images.there[IMAGE].properties) == (403, {})


def test_images_are_deleted_and_then_not_found(api: Any) -> None:
    """Lists end with 2.35, metadata with 2.38."""
    assert get(api, version="2.36").status == 404
    assert get(api, f"/{IMAGE}/metadata", version="2.39").status == 404
    assert api("DELETE", f"/images/{IMAGE}", version="2.35").status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/metadata")):
        assert api(method, f"/images/{IMAGE}{path}", version="2.35").status == 404
