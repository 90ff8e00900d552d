"""Data in and out over HTTP: mininova/standins/glance/handlers/data.py."""

import hashlib
import io

import pytest

from mininova.context import RequestContext
from mininova.standins.glance.db import images
from mininova.wsgi import Request
from mininova.wsgi.request import CONTEXT


@pytest.fixture
def request_to():
    """Make an upload with a given body."""

    def make(image_id, body, length):
        request = Request.blank(f"/v2/images/{image_id}/file", method="PUT", content_type="application/octet-stream")
        request.environ["wsgi.input"] = body
        request.environ[CONTEXT] = RequestContext(user_id="ann", project_id="ours", roles=("member",))
        request.content_length = length
        if length is None:
            request.headers["Transfer-Encoding"] = "chunked"
        return request

    return make


def test_in_and_out(http, make, upload):
    """A download gives the uploaded data, and the image is active with its size and its hashes."""
    image_id = make()
    assert upload(image_id, b"some data").status_int == 204
    image = http("GET", f"/v2/images/{image_id}").json
    assert (image["status"], image["size"], image["os_hash_algo"]) == ("active", 9, "sha512")
    assert image["checksum"] == hashlib.md5(b"some data").hexdigest()
    assert image["os_hash_value"] == hashlib.sha512(b"some data").hexdigest()
    response = http("GET", f"/v2/images/{image_id}/file")
    assert (response.status_int, response.body) == (200, b"some data")
    assert response.content_type == "application/octet-stream"
    assert (response.content_length, response.headers["Content-MD5"]) == (9, image["checksum"])


def test_head(http, make, upload):
    """A HEAD request gives the data's length and hash."""
    image_id = make()
    upload(image_id, b"some data")
    response = http("HEAD", f"/v2/images/{image_id}/file")
    assert (response.status_int, response.content_length, response.body) == (200, 9, b"")


def test_in_chunks(app, make, kept, request_to):
    """Data without an announced length is read to its end."""
    image_id = make()
    assert request_to(image_id, io.BytesIO(b"x" * 700), length=None).get_response(app).status_int == 204
    assert kept(image_id).size == 700


def test_too_large_in_chunks(app, make, folder, request_to):
    """The limit also holds for data without an announced length."""
    response = request_to(make(), io.BytesIO(b"x" * 1001), length=None).get_response(app)
    assert response.status_int == 413
    assert list(folder.iterdir()) == []


def test_nothing_yet(http, make):
    """A download from an image without data is empty, and no error."""
    response = http("GET", f"/v2/images/{make()}/file")
    assert (response.status_int, response.body) == (204, b"")


def test_empty(http, make, upload, kept):
    """Data may be empty."""
    image_id = make()
    assert upload(image_id, b"").status_int == 204
    assert (kept(image_id).status, kept(image_id).size) == ("active", 0)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_data_is_octets(make, upload, content_type):
    """An upload must have the content type of binary data."""
    assert upload(make(), content_type=content_type).status_int == 415


def test_formats_first(http, upload):
    """An image must have its formats before it can have data."""
    image_id = http("POST", "/v2/images", {"name": "a"}).json["id"]
    assert upload(image_id).status_int == 400


def test_too_large(make, upload, folder, kept):
    """Data over the limit is refused with 413 and leaves no file, and the image can have other data."""
    image_id = make()
    assert upload(image_id, b"x" * 1001).status_int == 413
    assert not folder.exists() or list(folder.iterdir()) == []
    assert kept(image_id).status == "queued"
    assert upload(image_id, b"x" * 1000).status_int == 204


def test_broken_off(app, make, folder, kept, request_to):
    """An upload that breaks off leaves no file, and the image is queued again."""
    image_id = make()
    request = request_to(image_id, io.BytesIO(b"half"), length=8)
    assert request.get_response(app).status_int == 400
    assert list(folder.iterdir()) == []
    assert kept(image_id).status == "queued"


def test_data_is_for_ever(make, upload, kept):
    """An image with data takes no other data."""
    image_id = make()
    upload(image_id, b"first")
    assert upload(image_id, b"second").status_int == 409
    assert kept(image_id).size == 5


class Meanwhile(io.BytesIO):
    """A body during which something else happens."""

    def __init__(self, data, happens):
        super().__init__(data)
        self.happens = happens

    def read(self, size=-1):
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().read(size)


def test_two_at_once(app, make, upload, kept, folder, http, request_to):
    """Of two uploads at once the first to end wins; the other gets an error, and leaves no file."""
    image_id = make()
    slow = request_to(image_id, Meanwhile(b"slow", lambda: upload(image_id, b"quick!")), length=4)
    assert slow.get_response(app).status_int == 409
    assert (kept(image_id).status, kept(image_id).size) == ("active", 6)
    assert http("GET", f"/v2/images/{image_id}/file").body == b"quick!"
    assert [file.name for file in folder.iterdir()] == [kept(image_id).location]


def test_saving_meanwhile(app, make, kept, request_to):
    """During an upload the image's status is saving."""
    image_id, seen = make(), []
    request_to(image_id, Meanwhile(b"data", lambda: seen.append(kept(image_id).status)), length=4).get_response(app)
    assert seen == ["saving"]


def test_deleted_meanwhile(app, make, http, folder, request_to):
    """When an image is deleted during its upload, no file is left."""
    image_id = make()
    request = request_to(image_id, Meanwhile(b"data", lambda: http("DELETE", f"/v2/images/{image_id}")), length=4)
    assert request.get_response(app).status_int == 404
    assert list(folder.iterdir()) == []


def test_after_a_crash(make, upload, db, kept):
    """A new upload to an image that a dead process left saving succeeds."""
    image_id = make()
    with db.write() as tx:
        images.update(tx, image_id, status="saving")
    assert upload(image_id).status_int == 204
    assert kept(image_id).status == "active"


def test_data_on_another_host(http, make, upload, folder, kept):
    """If the data is not in this host's folder, the error says so."""
    image_id = make()
    upload(image_id)
    (folder / kept(image_id).location).unlink()
    response = http("GET", f"/v2/images/{image_id}/file")
    assert response.status_int == 404
    assert "store of this host" in response.json["message"]
