"""Images over HTTP: mininova/standins/glance/handlers/images.py and about.py, and which users may do what."""

import re

import pytest

from mininova.standins.glance.patch import V2_0, V2_1

NOWHERE = "99999999-9999-4999-8999-999999999999"


def ids(response):
    return [image["id"] for image in response.json["images"]]


def test_create(http):
    """A new image has an id, an owner and no data yet; its properties are flat beside its attributes."""
    body = {
        "name": "a",
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": 1,
        "os_distro": "x",
        "tags": ["t"],
    }
    response = http("POST", "/v2/images", body)
    image = response.json
    assert response.status_int == 201
    assert image.items() >= {**body, "owner": "ours", "status": "queued", "visibility": "shared", "size": None}.items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", image["created_at"])
    assert response.headers["Location"] == f"http://cloud.example.org/image/v2/images/{image['id']}"
    assert (image["self"], image["file"]) == (f"/v2/images/{image['id']}", f"/v2/images/{image['id']}/file")
    assert http("GET", f"/v2/images/{image['id']}").json == image
    assert "location" not in image


def test_nothing_to_say(http):
    """An image needs no attributes at all."""
    assert http("POST", "/v2/images", {}).status_int == 201


def test_id_of_ones_own(http):
    """A client may choose the id, if it is free."""
    assert http("POST", "/v2/images", {"id": NOWHERE}).json["id"] == NOWHERE
    assert http("POST", "/v2/images", {"id": NOWHERE}, by="bob").status_int == 409


@pytest.mark.parametrize(
    "id", ["../../etc/passwd", "..", "x", "", "9" * 36, NOWHERE + "\n", NOWHERE.upper().replace("9", "A"), 5, None]
)
def test_id_of_no_form(http, id):
    """An id must be a UUID, so it cannot be a path."""
    assert http("POST", "/v2/images", {"id": id}).status_int == 400


@pytest.mark.parametrize(
    "path",
    ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2Fetc%2Fpasswd", "a%00b", "x" * 300, "%E2%80%AE", NOWHERE],
)
@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("GET", "/file"), ("DELETE", ""), ("GET", "/members")])
def test_path_tricks(http, path, method, below):
    """A URL with another string for an id is 404."""
    assert http(method, f"/v2/images/{path}{below}").status_int == 404


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"visibility": "secret"}, 400, "visibility"),
        ({"disk_format": "floppy"}, 400, "disk_format"),
        ({"container_format": "box"}, 400, "container_format"),
        ({"min_ram": -1}, 400, "min_ram"),
        ({"min_ram": 2**31}, 400, "min_ram"),
        ({"min_disk": "1"}, 400, "min_disk"),
        ({"protected": "yes"}, 400, "protected"),
        ({"name": "x" * 256}, 400, "name"),
        ({"tags": "x"}, 400, "tags"),
        ({"tags": [""]}, 400, "tags"),
        ({"os_distro": 5}, 400, "os_distro"),
        ({"os_distro": {"a": "b"}}, 400, "os_distro"),
        ({"": "x"}, 400, ""),
        ({"status": "active"}, 403, "status"),
        ({"size": 5}, 403, "size"),
        ({"checksum": "x"}, 403, "checksum"),
        ({"locations": []}, 403, "locations"),
        ({"owner": "theirs"}, 403, "theirs"),
        ([], 400, "JSON object"),
    ],
)
def test_refused(http, body, status, said):
    """The error for an invalid attribute names it, in Glance's form, as JSON."""
    response = http("POST", "/v2/images", body)
    assert response.status_int == status
    assert said in response.json["message"]


def test_no_document(http):
    """A body that is not JSON, or too long, is refused."""
    assert http("POST", "/v2/images", data=b"{", content_type="application/json").status_int == 400
    assert http("POST", "/v2/images").status_int == 400
    assert http("POST", "/v2/images", {"x": "y" * 5000}).status_int == 413


def test_only_an_administrator_makes_public(http, make):
    """Only administrators make an image public, or one of another project."""
    image_id = make()
    publish = [{"op": "replace", "path": "/visibility", "value": "public"}]
    give = [{"op": "replace", "path": "/owner", "value": "theirs"}]
    path = f"/v2/images/{image_id}"
    assert http("POST", "/v2/images", {"visibility": "public"}).status_int == 403
    assert http("PATCH", path, publish, content_type=V2_1).status_int == 403
    assert http("PATCH", path, give, content_type=V2_1).status_int == 403
    assert http("POST", "/v2/images", {"visibility": "public"}, by="admin").status_int == 201
    assert http("PATCH", path, publish, by="admin", content_type=V2_1).json["visibility"] == "public"
    assert http("PATCH", path, give, by="admin", content_type=V2_1).json["owner"] == "theirs"


def test_which_images_a_project_sees(http, make):
    """Another project's private image is 404; a public one is seen."""
    private, public = make(visibility="private"), make("admin", visibility="public")
    for by, seen in {"ann": {private, public}, "bob": {public}, "stray": {public}, "admin": {private, public}}.items():
        assert set(ids(http("GET", "/v2/images", by=by))) == seen
        assert http("GET", f"/v2/images/{private}", by=by).status_int == (200 if private in seen else 404)


def test_anothers_private_image_is_not_there(http, make, upload):
    """Each operation on another project's private image is 404."""
    path = f"/v2/images/{make(visibility='private')}"
    change = [{"op": "replace", "path": "/name", "value": "x"}]
    assert http("PATCH", path, change, by="bob", content_type=V2_1).status_int == 404
    assert http("DELETE", path, by="bob").status_int == 404
    assert http("GET", f"{path}/file", by="bob").status_int == 404
    assert http("GET", f"{path}/members", by="bob").status_int == 404
    assert http("GET", f"{path}/tasks", by="bob").status_int == 404
    assert http("PUT", f"{path}/tags/x", by="bob").status_int == 404
    assert http("POST", f"{path}/actions/deactivate", by="bob").status_int == 404
    assert http("POST", f"{path}/members", {"member": "theirs"}, by="bob").status_int == 404
    assert upload(path.rpartition("/")[2], by="bob").status_int == 404


@pytest.mark.parametrize("by", ["bob", "reader", "stray"])
def test_seeing_is_not_changing(http, make, upload, by):
    """A user who sees a public image but does not own it, and a reader, cannot change it."""
    image_id = make("admin", visibility="public", owner="ours")
    path, change = f"/v2/images/{image_id}", [{"op": "replace", "path": "/name", "value": "x"}]
    assert http("PATCH", path, change, by=by, content_type=V2_1).status_int == 403
    assert http("DELETE", path, by=by).status_int == 403
    assert upload(image_id, by=by).status_int == 403
    if by != "bob":
        assert http("POST", "/v2/images", {}, by=by).status_int == 403


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (
            V2_1,
            [
                {"op": "add", "path": "/hw_rescue_device", "value": "disk"},
                {"op": "replace", "path": "/tags", "value": ["t"]},
            ],
        ),
        (V2_0, [{"add": "/hw_rescue_device", "value": "disk"}, {"replace": "/tags", "value": ["t", "t"]}]),
    ],
)
def test_patch(http, make, form, body):
    """Both forms of a PATCH change an image, and the answer is the changed image."""
    path = f"/v2/images/{make(name='a')}"
    image = http("PATCH", path, body, content_type=form).json
    assert (image["name"], image["hw_rescue_device"], image["tags"]) == ("a", "disk", ["t"])
    assert http("GET", path).json == image
    assert ids(http("GET", "/v2/images?hw_rescue_device=disk&tag=t")) == [image["id"]]


@pytest.mark.parametrize("name", ["disk_format", "container_format"])
def test_the_format_of_data_stays(http, make, upload, name):
    """It can be changed until the data is there, and be said again."""
    path = f"/v2/images/{(image_id := make())}"

    def patch(value):
        return http("PATCH", path, [{"op": "replace", "path": f"/{name}", "value": value}], content_type=V2_1)

    assert patch("aki").status_int == 200
    assert patch(before := {"disk_format": "raw", "container_format": "bare"}[name]).status_int == 200
    upload(image_id)
    refused = patch("aki")
    assert (refused.status_int, "can be only replaced for a queued image" in refused.text) == (403, True)
    assert patch(before).status_int == 200
    assert http("GET", path).json[name] == before


def test_patch_of_no_form(http, make):
    """A PATCH must name its form, and must leave a valid image."""
    path, body = f"/v2/images/{make()}", [{"op": "replace", "path": "/min_ram", "value": "much"}]
    assert http("PATCH", path, body, content_type="application/json").status_int == 415
    assert http("PATCH", path, body, content_type=V2_1).status_int == 400
    assert http("PATCH", path, {}, content_type=V2_1).status_int == 400


def test_delete(http, make, upload, folder):
    """A deleted image is 404, and its data is removed."""
    image_id = make()
    upload(image_id)
    assert http("DELETE", f"/v2/images/{image_id}").status_int == 204
    assert http("GET", f"/v2/images/{image_id}").status_int == 404
    assert http("DELETE", f"/v2/images/{image_id}").status_int == 404
    assert list(folder.iterdir()) == []


def test_protected(http, make):
    """A protected image cannot be deleted, not even by an administrator."""
    path = f"/v2/images/{make(protected=True)}"
    assert http("DELETE", path, by="admin").status_int == 403
    http("PATCH", path, [{"op": "replace", "path": "/protected", "value": False}], content_type=V2_1)
    assert http("DELETE", path).status_int == 204


def test_tags(http, make):
    """Tags are added and removed one by one."""
    path = f"/v2/images/{make()}"
    for tag in ("b", "a", "b"):
        assert http("PUT", f"{path}/tags/{tag}").status_int == 204
    assert http("GET", path).json["tags"] == ["b", "a"]
    assert http("DELETE", f"{path}/tags/b").status_int == 204
    assert http("DELETE", f"{path}/tags/b").status_int == 404
    assert http("PUT", f"{path}/tags/{'x' * 256}").status_int == 400


def test_deactivated(http, make, upload):
    """Only administrators can download a deactivated image, until it is reactivated."""
    image_id = make()
    path = f"/v2/images/{image_id}"
    assert http("POST", f"{path}/actions/deactivate").status_int == 403
    upload(image_id)
    assert http("POST", f"{path}/actions/deactivate").status_int == 204
    assert http("GET", path).json["status"] == "deactivated"
    assert http("GET", f"{path}/file").status_int == 403
    assert http("GET", f"{path}/file", by="admin").body == b"data"
    assert http("POST", f"{path}/actions/reactivate").status_int == 204
    assert http("GET", f"{path}/file").body == b"data"


def test_pages(http, make):
    """Each page has Glance's link to the next, which keeps the query."""
    made = [make(name=f"n{number}") for number in range(3)]
    first = http("GET", "/v2/images?limit=2&sort=name:asc").json
    assert [image["id"] for image in first["images"]] == made[:2]
    assert first["first"] == "/v2/images?limit=2&sort=name%3Aasc"
    last = http("GET", first["next"])
    assert ids(last) == made[2:]
    assert "next" not in last.json
    assert http("GET", "/v2/images?limit=0").json["images"] == []
    assert http("GET", f"/v2/images?marker={NOWHERE}").status_int == 400


def test_list_by_ids(http, make):
    """A list can be filtered by several ids, and by a name."""
    a, b, _ = make(name="a"), make(name="b"), make(name="c")
    assert set(ids(http("GET", f"/v2/images?id=in:{a},{b},{NOWHERE}"))) == {a, b}
    assert ids(http("GET", "/v2/images?name=b")) == [b]
    assert ids(http("GET", "/v2/images?name=nosuch")) == []
    assert ids(http("GET", "/v2/images?os_hidden=True")) == []


def test_descriptions_of_the_api(http, make):
    """Schemas, import methods and tasks are served to clients that ask for them."""
    image = http("GET", "/v2/schemas/image").json
    assert image["name"] == "image"
    assert {"id", "name", "status", "visibility", "os_hash_value"} <= set(image["properties"])
    for name in ("images", "member", "members", "task", "tasks"):
        assert http("GET", f"/v2/schemas/{name}").json["name"] == name
    assert http("GET", "/v2/schemas/nosuch").status_int == 404
    assert http("GET", "/v2/info/import").json["import-methods"]["value"] == ["glance-direct"]
    assert http("GET", "/v2/tasks").json["tasks"] == []
    assert http("GET", f"/v2/images/{make()}/tasks").json == {"tasks": []}
