"""Data that is staged and then imported: mininova/standins/glance/handlers/data.py."""

import hashlib

import pytest

DIRECT = {"method": {"name": "glance-direct"}}


@pytest.fixture
def stage(http):
    """Stage data; give the response."""

    def stage(image_id, data, **more):
        return http("PUT", f"/v2/images/{image_id}/stage", data=data, content_type="application/octet-stream", **more)

    return stage


def test_an_import(http, make, stage, folder):
    """Staged data waits, and is not shown; the import has it be the image's, and nothing else is left."""
    image_id = make()
    path = f"/v2/images/{image_id}"
    assert stage(image_id, b"some data").status_int == 204
    image = http("GET", path).json
    assert (image["status"], image["size"], image["checksum"], image["os_hash_value"]) == ("uploading", 9, None, None)
    assert http("GET", f"{path}/file").status_int == 204
    assert http("POST", f"{path}/import", DIRECT).status_int == 202
    image = http("GET", path).json
    assert (image["status"], image["checksum"]) == ("active", hashlib.md5(b"some data").hexdigest())
    assert http("GET", f"{path}/file").body == b"some data"
    assert len(list(folder.iterdir())) == 1
    assert http("DELETE", path).status_int == 204
    assert list(folder.iterdir()) == []


def test_a_new_image_names_the_ways_to_import_it(http):
    """Clients look there before they stage anything."""
    made = http("POST", "/v2/images", {"name": "one"})
    assert made.headers["OpenStack-image-import-methods"] == "glance-direct"


@pytest.mark.parametrize("method", ["web-download", "glance-download", "copy-image", "none"])
def test_nothing_is_fetched_from_elsewhere(http, make, stage, method):
    """Another method is 400, and the message says which there are."""
    image_id = make()
    stage(image_id, b"some data")
    asked = {"method": {"name": method, "uri": "http://example.org/cirros.img"}}
    refused = http("POST", f"/v2/images/{image_id}/import", asked)
    assert refused.status_int == 400
    assert f"Unknown import method name '{method}': this cloud knows glance-direct only" in refused.text


@pytest.mark.parametrize("body", [{}, {"method": {}}, {"method": "glance-direct"}, [], {**DIRECT, "stores": "one"}])
def test_an_import_that_says_nothing(http, make, stage, body):
    """It is 400."""
    image_id = make()
    stage(image_id, b"some data")
    assert http("POST", f"/v2/images/{image_id}/import", body).status_int == 400


def test_what_cannot_be_imported_or_staged(http, make, stage, upload):
    """An image without staged data is not imported, and one that has data is not staged to."""
    image_id = make()
    assert http("POST", f"/v2/images/{image_id}/import", DIRECT).status_int == 409
    assert stage(image_id, b"some data").status_int == 204
    assert stage(image_id, b"other data").status_int == 409
    assert upload(image_id, b"other data").status_int == 409
    for again in (202, 409):
        assert http("POST", f"/v2/images/{image_id}/import", DIRECT).status_int == again
    assert stage(image_id, b"other data").status_int == 409
    assert http("PUT", f"/v2/images/{make()}/stage", {"not": "data"}).status_int == 415
    bare = http("POST", "/v2/images", {"name": "formless"}).json["id"]
    assert stage(bare, b"some data").status_int == 204
    assert http("POST", f"/v2/images/{bare}/import", DIRECT).status_int == 400


def test_too_much_is_not_staged(http, make, stage, folder):
    """The image waits for its data again."""
    image_id = make()
    assert stage(image_id, b"x" * 1001).status_int == 413
    assert http("GET", f"/v2/images/{image_id}").json["status"] == "queued"
    assert not folder.exists() or list(folder.iterdir()) == []
    assert stage(image_id, b"x" * 1000).status_int == 204


def test_whose_image_it_is(http, make, stage):
    """Another project does not see it, and a reader may not."""
    image_id = make()
    for by, status in (("bob", 404), ("reader", 403)):
        assert stage(image_id, b"some data", by=by).status_int == status
        assert http("POST", f"/v2/images/{image_id}/import", DIRECT, by=by).status_int == status
