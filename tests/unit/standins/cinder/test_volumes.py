"""Volumes and snapshots: how they are made, found, changed and deleted."""

import pytest

from mininova.context import RequestContext
from tests.fixtures.callers import CALLERS

IMAGE = "11111111-1111-4111-8111-111111111111"
NONE = "00000000-0000-4000-8000-000000000000"


def message(response, status):
    assert response.status_int == status, response.text
    return next(iter(response.json.values()))["message"]


def test_a_volume(volume, http, get):
    """It is made, found, changed and deleted."""
    made = volume(name="data", description="mine", metadata={"a": "b"})
    path = f"/volumes/{made['id']}"
    assert (made["status"], made["size"], made["bootable"], made["volume_type"], made["attachments"]) == (
        "available", 1, "false", "__DEFAULT__", [],
    )  # fmt: skip
    extended = {"os-vol-tenant-attr:tenant_id"}  # which Cinder adds where a volume is shown, and not where it is made
    assert {key: value for key, value in get(path).items() if key not in extended} == made
    assert get(path).keys() - made.keys() == extended
    changed = http("PUT", path, {"volume": {"display_name": "more"}}).json["volume"]
    assert (changed["name"], changed["description"], changed["metadata"]) == ("more", "mine", {"a": "b"})
    assert http("DELETE", path).status_int == 202
    assert NONE in message(http("GET", f"/volumes/{NONE}"), 404)
    assert http("GET", path).status_int == 404


def test_who_sees_and_changes_a_volume(volume, http, get):
    """Its project's members, and administrators; its readers change nothing."""
    path = f"/volumes/{volume()['id']}"
    assert http("GET", path, by="bob").status_int == http("DELETE", path, by="bob").status_int == 404
    assert http("GET", path, by="reader").status_int == 200
    assert "volume:delete" in message(http("DELETE", path, by="reader"), 403)
    assert message(http("POST", "/volumes", {"volume": {"size": 1}}, by="reader"), 403)
    assert get("/volumes", by="bob") == get("/volumes", by="admin") == get("/volumes?all_tenants=1", by="bob") == []
    assert len(get("/volumes?all_tenants=1", by="admin")) == 1
    assert "os-vol-host-attr:host" in get(path, by="admin")


def test_a_volume_of_something(volume, http, get):
    """One of an image can be booted from; those of a snapshot and of another volume have what that has."""
    root = volume(imageRef=IMAGE, size=2)
    shown = get(f"/volumes/{root['id']}")
    assert (shown["bootable"], shown["volume_image_metadata"]["image_id"]) == ("true", IMAGE)
    taken = http("POST", "/snapshots", {"snapshot": {"volume_id": root["id"], "name": "now"}})
    assert (taken.status_int, taken.json["snapshot"]["size"]) == (202, 2)
    for origin in ({"snapshot_id": taken.json["snapshot"]["id"]}, {"source_volid": root["id"]}):
        copy = get(f"/volumes/{volume(size=None, **origin)['id']}")
        assert (copy["size"], copy["bootable"], copy["volume_image_metadata"]["os"]) == (2, "true", "x")


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({}, 400, "must be an integer and greater than 0"),
        ({"size": 0}, 400, "size. Value: 0"),
        ({"size": 10**30}, 400, "size"),
        ({"size": "9" * 10}, 400, "size"),
        ({"size": 1, "imageRef": IMAGE}, 400, "minDisk size 2GB"),
        ({"size": 1, "imageRef": NONE}, 400, f"Image {NONE} could not be found"),
        ({"size": 1, "source_volid": NONE}, 404, NONE),
        ({"size": 1, "snapshot_id": NONE}, 404, NONE),
        ({"size": 1, "volume_type": "none"}, 404, "Volume type with name none"),
        ({"size": 1, "availability_zone": "mars"}, 400, "mars"),
        ({"size": 1, "multiattach": True}, 400, "multiattach parameter has been removed"),
        ({"size": 1, "metadata": {"a": 1}}, 400, "metadata/a"),
        ({"size": 1, "name": "x" * 256}, 400, "name"),
        ({"size": 1001}, 413, "gigabytes"),
    ],
)
def test_volumes_that_cannot_be_made(http, said, status, words):
    """The answer names what is wrong."""
    assert words in message(http("POST", "/volumes", {"volume": said}), status)


def test_quotas(volume, http, get, monkeypatch):
    """A project has no more than it may; an administrator says how much that is, and may take it back."""
    body = {"quota_set": {"volumes": 1, "per_volume_gigabytes": 5}}
    assert http("PUT", "/os-quota-sets/ours", body).status_int == 403
    assert http("PUT", "/os-quota-sets/ours", body, by="admin").json["quota_set"]["volumes"] == 1
    assert "per" not in message(http("POST", "/volumes", {"volume": {"size": 6}}), 413)
    one = volume(size=5)
    assert "exceeded for quota 'volumes'" in message(http("POST", "/volumes", {"volume": {"size": 1}}), 413)
    absolute = get("/limits")["absolute"]
    assert (absolute["maxTotalVolumes"], absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]) == (1, 1, 5)
    usage = get("/os-quota-sets/ours?usage=True")
    assert usage["volumes"] == {"limit": 1, "in_use": 1, "reserved": 0}
    assert usage["volumes___DEFAULT__"]["in_use"] == 1
    assert http("GET", "/os-quota-sets/theirs").status_int == 403
    assert "mountains" in message(http("PUT", "/os-quota-sets/ours", {"quota_set": {"mountains": 1}}, by="admin"), 400)
    assert http("DELETE", "/os-quota-sets/ours", by="admin").status_int == 200
    assert get("/os-quota-sets/ours")["volumes"] == 10
    assert volume()["id"] != one["id"]


def test_lists(volume, http, get):
    """They are chosen, sorted, and come in pages."""
    ids = [volume(name=name, size=size, metadata={"n": name})["id"] for name, size in (("a", 3), ("b", 1), ("c", 2))]

    def names(query):
        return "".join(each["name"] for each in get(f"/volumes/detail?{query}"))

    assert (names(""), names("sort=size:asc"), names("sort_key=name&sort_dir=asc")) == ("cba", "bca", "abc")
    assert (names("name=b"), names("status=error"), names("name~=c"), names("metadata={'n':'a'}")) == (
        "b",
        "",
        "c",
        "a",
    )
    page = http("GET", "/volumes?sort=name:asc&limit=2").json
    assert [each["name"] for each in page["volumes"]] == ["a", "b"]
    assert f"marker={ids[1]}" in page["volumes_links"][0]["href"]
    assert names(f"sort=name:asc&limit=2&marker={ids[1]}") == "c"
    assert names("sort=name:asc&offset=1&limit=1") == "b"
    assert http("GET", "/volumes?with_count=True&limit=1").json["count"] == 3
    assert http("GET", "/volumes/summary").json["volume-summary"]["total_size"] == 6
    for query, status in (("limit=x", 400), ("limit=-1", 400), ("sort=hue", 400), (f"marker={NONE}", 404),
                          ("sort=name:up", 400), ("all_tenants=maybe", 400), ("metadata=x", 400)):  # fmt: skip
        asked = http("GET", f"/volumes?{query}", by="admin" if "all" in query else "ann")
        assert message(asked, status)


def test_snapshots(volume, http, get):
    """A volume with snapshots is deleted only with them."""
    path = f"/volumes/{volume()['id']}"
    body = {"snapshot": {"volume_id": path[9:], "name": "now", "metadata": {"a": "b"}}}
    made = http("POST", "/snapshots", body).json["snapshot"]
    one = f"/snapshots/{made['id']}"
    assert get(f"/snapshots/detail?volume_id={path[9:]}")[0]["os-extended-snapshot-attributes:progress"] == "100%"
    assert http("GET", one, by="bob").status_int == 404
    assert http("PUT", one, {"snapshot": {"name": "then"}}).json["snapshot"]["name"] == "then"
    assert http("POST", f"{one}/metadata", {"metadata": {"c": "d"}}).json == {"metadata": {"a": "b", "c": "d"}}
    assert http("DELETE", f"{one}/metadata/a").status_int == 200
    assert http("DELETE", f"{one}/metadata/a").status_int == 404
    assert "have snapshots" in message(http("DELETE", path), 400)
    assert http("DELETE", f"{path}?cascade=True").status_int == 202
    assert http("GET", one).status_int == 404


def test_types_that_are_not_public(volume, http, get, act):
    """Administrators alone see them, and make volumes of them."""
    said = {"name": "ours", "os-volume-type-access:is_public": False}
    ours = http("POST", "/types", {"volume_type": said}, by="admin").json["volume_type"]
    path = f"/types/{ours['id']}"

    def names(query, by="admin"):
        return {each["name"] for each in get(f"/types?is_public={query}", by=by)}

    assert [names(query) for query in ("None", "false", "true")] == [{"ours", "__DEFAULT__"}, {"ours"}, {"__DEFAULT__"}]
    assert names("None", by="ann") == {"__DEFAULT__"}
    one = {"volume": {"size": 1, "volume_type": "ours"}}
    made = [
        (http("GET", path, by=by).status_int, http("POST", "/volumes", one, by=by).status_int)
        for by in ("ann", "admin")
    ]
    assert made == [(404, 404), (200, 202)]
    assert act(volume()["id"], "os-retype", {"new_type": ours["id"]})[0] == 404


def test_what_was_deleted_is_not_there(volume, http):
    """The last item of metadata, or of a type's extra specs, is not found a second time either."""
    path = f"/volumes/{volume(metadata={'a': 'b'})['id']}"
    taken = http("POST", "/snapshots", {"snapshot": {"volume_id": path[9:], "metadata": {"a": "b"}}}).json["snapshot"]
    said = {"volume_type": {"name": "fast", "extra_specs": {"a": "b"}}}
    made = http("POST", "/types", said, by="admin").json["volume_type"]
    for item, status in (
        (f"{path}/metadata/a", 200),
        (f"/snapshots/{taken['id']}/metadata/a", 200),
        (f"/types/{made['id']}/extra_specs/a", 202),
    ):
        assert [http("DELETE", item, by="admin").status_int for _ in range(2)] == [status, 404]


def test_actions(volume, http, act, get):
    """A volume grows, is marked, and is put into another state by an administrator."""
    id = volume()["id"]
    assert act(id, "os-extend", {"new_size": 3})[0] == 202
    assert "greater than current size. (current: 3, extended: 3)" in act(id, "os-extend", {"new_size": 3})[1]
    assert act(id, "os-extend", {"new_size": 2000})[0] == 413
    assert act(id, "os-set_bootable", {"bootable": True})[0] == 200
    assert act(id, "os-update_readonly_flag", {"readonly": True})[0] == 202
    assert act(id, "os-set_image_metadata", {"metadata": {"os": "y"}})[0] == 200
    shown = get(f"/volumes/{id}")
    assert (shown["size"], shown["bootable"], shown["metadata"]) == (3, "true", {"readonly": "True"})
    assert act(id, "os-reset_status", {"status": "error"})[0] == 403
    assert act(id, "os-reset_status", {"status": "well"}, by="admin")[0] == 400
    assert act(id, "os-reset_status", {"status": "error_deleting"}, by="admin")[0] == 202
    assert "must be available" in act(id, "os-extend", {"new_size": 4})[1]
    assert http("DELETE", f"/volumes/{id}").status_int == 400
    assert act(id, "os-fly")[0] == 400
    assert act(id, "os-force_delete", by="admin")[0] == 202
    assert get("/volumes") == []


def test_types(volume, http, get, act):
    """Administrators make types; one that a volume has stays."""
    assert http("POST", "/types", {"volume_type": {"name": "fast"}}).status_int == 403
    fast = http("POST", "/types", {"volume_type": {"name": "fast"}}, by="admin").json["volume_type"]
    path = f"/types/{fast['id']}"
    assert message(http("POST", "/types", {"volume_type": {"name": "fast"}}, by="admin"), 409)
    assert http("POST", f"{path}/extra_specs", {"extra_specs": {"a": "b"}}, by="admin").json == {
        "extra_specs": {"a": "b"}
    }
    assert http("PUT", f"{path}/extra_specs/c", {"c": "d"}, by="admin").json == {"c": "d"}
    assert http("DELETE", f"{path}/extra_specs/a", by="admin").status_int == 202
    assert get(f"{path}/extra_specs") == {"c": "d"}
    assert {each["name"] for each in get("/types")} == {"fast", "__DEFAULT__"}
    one = volume()
    assert act(one["id"], "os-retype", {"new_type": "fast"})[0] == 202
    assert "still in use" in message(http("DELETE", path, by="admin"), 400)
    assert http("DELETE", f"/volumes/{one['id']}").status_int == 202
    assert http("DELETE", path, by="admin").status_int == 202
    assert "default volume type" in message(http("DELETE", f"/types/{get('/types/default')['id']}", by="admin"), 400)


def test_an_image_is_written_over_a_volume(volume, http, get, act):
    """It has the image then, and can be booted from; one that a server has, or is too small, is refused."""
    id = volume(size=2)["id"]
    assert act(id, "os-reimage", {"image_id": IMAGE}, version="3.67")[0] == 404
    assert act(id, "os-reimage", {"image_id": IMAGE})[0] == 202
    shown = get(f"/volumes/{id}")
    assert (shown["status"], shown["bootable"], shown["volume_image_metadata"]["image_id"]) == (
        "available", "true", IMAGE,
    )  # fmt: skip
    assert act(id, "os-reserve")[0] == 202
    assert "must be available or error to reimage" in act(id, "os-reimage", {"image_id": IMAGE})[1]
    reserved = volume(size=2)["id"]
    kept = {"attachment": {"volume_uuid": reserved, "instance_uuid": NONE}}
    assert http("POST", "/attachments", kept).status_int == 200
    assert act(reserved, "os-reimage", {"image_id": IMAGE})[0] == 400
    assert act(reserved, "os-reimage", {"image_id": IMAGE, "reimage_reserved": True})[0] == 202
    assert get(f"/volumes/{reserved}")["status"] == "reserved"
    small = volume()["id"]
    assert "minDisk size 2GB" in act(small, "os-reimage", {"image_id": IMAGE})[1]
    assert act(small, "os-reimage", {"image_id": NONE})[0] == 404
    assert act(small, "os-reimage", {"image_id": "x"})[0] == act(small, "os-reimage", {})[0] == 400
    assert act(small, "os-reimage", {"image_id": IMAGE}, by="reader")[0] == 403


def test_what_newer_versions_have(volume, http, get):
    """Lists are chosen by moments; a volume shows its type's id; a snapshot needs no force, and takes none."""
    made = volume()
    assert (made["volume_type_id"], made["consumes_quota"]) == (get("/types/default")["id"], True)
    assert get(f"/volumes/{made['id']}", by="admin")["cluster_name"] is None
    for asked, count in (
        ("created_at=gt:2020-01-01T00:00:00", 1), ("created_at=gt:2020-01-01T00:00:00,lt:2021-01-01", 0),
        ("updated_at=lte:2020-01-01T00:00:00", 0), ("consumes_quota=false", 0),
    ):  # fmt: skip
        assert len(get(f"/volumes/detail?{asked}")) == count, asked
    assert get("/volumes/summary?created_at=lt:2020-01-01")["total_count"] == 0
    for wrong in ("after:2020-01-01", "gt:today", "gt"):
        assert "created_at" in message(http("GET", f"/volumes/detail?created_at={wrong}"), 400)
    attachment = {"volume_uuid": made["id"], "instance_uuid": NONE, "connector": {"host": "h"}}
    made_by = http("POST", "/attachments", {"attachment": attachment}).json["attachment"]["id"]
    assert http("POST", f"/attachments/{made_by}/action", {"os-complete": {}}).status_int == 204
    wanted = {"volume_id": made["id"]}
    assert http("POST", "/snapshots", {"snapshot": {**wanted, "force": False}}).status_int == 400
    for said in (wanted, {**wanted, "force": True}):
        assert http("POST", "/snapshots", {"snapshot": said}).json["snapshot"]["consumes_quota"] is True
    assert "must be available" in message(http("POST", "/snapshots", {"snapshot": wanted}, version="3.65"), 400)


def test_versions(http):
    """A microversion that there is not is refused; without one, the oldest is spoken."""
    assert http("GET", "/volumes", version=None).headers["OpenStack-API-Version"] == "volume 3.0"
    assert http("GET", "/volumes", version="latest").headers["OpenStack-API-Version"] == "volume 3.68"
    assert http("GET", "/volumes", version="3.99").status_int == 406
    assert http("GET", "/volumes", version="new").status_int == 400
    assert http("GET", "/attachments", version="3.26").status_int == 404


def test_a_project_in_the_url(http, monkeypatch):
    """It is the caller's own."""
    ours = "a" * 32
    monkeypatch.setitem(CALLERS, "hex", RequestContext(user_id="h", project_id=ours, roles=("member",)))
    assert http("GET", f"/{ours}/volumes", by="hex").json == {"volumes": []}
    assert "Malformed request url" in message(http("GET", f"/{'b' * 32}/volumes", by="hex"), 400)


def test_what_describes_the_service(http, get):
    """Clients ask for zones, services and pools, and for lists that have nothing in them."""
    assert get("/os-availability-zone") == [{"zoneName": "nova", "zoneState": {"available": True}}]
    assert {each["binary"] for each in get("/os-services", by="admin")} == {"cinder-scheduler", "cinder-volume"}
    assert http("GET", "/os-services").status_int == 403
    assert get("/scheduler-stats/get_pools?detail=true", by="admin")[0]["capabilities"]["multiattach"] is True
    assert get("/backups/detail") == get("/qos-specs") == []
