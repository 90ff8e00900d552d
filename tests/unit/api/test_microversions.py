"""What the newest microversions change, and a cloud that speaks none so new."""

from typing import Any

import pytest

from mininova import errors
from mininova.db import request_specs
from mininova.objects import ImageMeta
from tests.fixtures.api_harness import IMAGE


def show(api: Any, uuid: str, version: str) -> dict[str, Any]:
    return api("GET", f"/servers/{uuid}", version=version).body["server"]


# ---- an older cloud


def test_an_operator_can_have_an_older_cloud(make_api: Any, db: Any) -> None:
    """It is said in the document, it is what "latest" means, and anything newer is refused."""
    api = make_api(**{"api.max_microversion": "2.90"})
    assert api("GET", "//v2.1", user=None).body["version"]["version"] == "2.90"
    assert api("GET", "/servers", version="latest").headers["OpenStack-API-Version"] == "compute 2.90"
    refused = api("GET", "/servers", version="2.91")
    assert (refused.status, "maximum is 2.90" in refused.message) == (406, True)


@pytest.mark.parametrize("version", ["2.0", "2.105", "3.0", "latest", "two"])
def test_an_older_cloud_has_a_version_of_ours(make_api: Any, db: Any, version: str) -> None:
    """A start with any other is refused, and the option is quoted."""
    with pytest.raises(errors.ConfigError, match=r"\[api\] max_microversion"):
        make_api(**{"api.max_microversion": version})


def test_a_version_is_shown_below_one_of_them(make_api: Any, db: Any) -> None:
    """It is the document that is shown without a token; no other is there."""
    api = make_api(**{"api.max_microversion": "2.90"})
    assert api("GET", "/versions/v2.1").body == api("GET", "//v2.1", user=None).body
    assert api("GET", "//v2/versions/any").body == api("GET", "//v2", user=None).body
    assert api("GET", "/versions/v3").status == 404


# ---- 2.98 and 2.100: a server shows its image's properties, and the hints


@pytest.fixture
def placed(api: Any) -> str:
    """Give a server whose image has properties, and which was asked for with hints."""
    properties = {"hw_disk_bus": "virtio", "architecture": "x86_64", "my_own": "secret"}
    api.images.there[IMAGE] = ImageMeta(id=IMAGE, name="cirros", size=1024, properties=properties)
    other = api.active()
    return api.active(hints={"different_host": [other], "query": '["=", "$host", "host-1"]', "mine": "x,y"})


@pytest.mark.parametrize("path", ["/servers/{}", "/servers/detail?uuid={}"])
def test_a_server_shows_the_properties_of_its_image(api: Any, placed: str, path: str) -> None:
    """Those that Nova knows, and from 2.98 on."""
    for version, shown in (("2.97", False), ("2.98", True)):
        body = api("GET", path.format(placed), version=version).body
        (server,) = [it for it in body.get("servers", [body.get("server")]) if it["id"] == placed]
        expected = {"hw_disk_bus": "virtio", "architecture": "x86_64"}
        assert server["image"].get("properties") == (expected if shown else None)


def test_a_server_shows_the_hints_that_it_was_asked_for_with(api: Any, placed: str) -> None:
    """Each with a list of its values, from 2.100 on."""
    assert "scheduler_hints" not in show(api, placed, "2.99")
    hints = show(api, placed, "2.100")["scheduler_hints"]
    assert (len(hints.pop("different_host")), hints) == (1, {"query": ['["=", "$host", "host-1"]'], "mine": ["x,y"]})


# ---- 2.102: flavors, and parameters that are unknown


def test_a_flavor_lost_two_fields(api: Any) -> None:
    """From 2.102 on it is neither shown nor made with a factor for the network."""
    lost = {"rxtx_factor", "OS-FLV-DISABLED:disabled"}
    for version, is_there in (("2.101", True), ("2.102", False)):
        flavor = api("GET", "/flavors/1", version=version).body["flavor"]
        assert lost <= set(flavor) if is_there else not lost & set(flavor)
        body = {"flavor": {"name": f"n{version}", "ram": 1, "vcpus": 1, "disk": 1, "rxtx_factor": 2}}
        assert api("POST", "/flavors", body, version=version, user="admin").status == (200 if is_there else 400)


@pytest.mark.parametrize(("name", "found"), [("tiny", ["1"]), ("^m1", ["1", "2"]), ("^tiny", []), ("(", None)])
def test_flavors_are_found_by_name(api: Any, name: str, found: list[str] | None) -> None:
    """The name is a regular expression, and before 2.102 it is refused."""
    answer = api("GET", f"/flavors?name={name}", version="2.102")
    assert (answer.status, [it["id"] for it in answer.body.get("flavors", [])]) == (
        200 if found is not None else 400,
        found or [],
    )
    assert api("GET", f"/flavors?name={name}", version="2.101").status == 400


@pytest.mark.parametrize(
    "path", ["/flavors/1", "/flavors/1/os-extra_specs", "/extensions", "/os-quota-class-sets/default"]
)
def test_unknown_parameters_are_refused_where_none_is_known(api: Any, path: str) -> None:
    """From 2.102 on; what Nova left out then passes them over still, and so does what changes something."""
    assert api("GET", f"{path}?odd=1", version="2.101", user="admin").status == 200
    refused = api("GET", f"{path}?odd=1", version="2.102", user="admin")
    assert (refused.status, "odd" in refused.message) == (400, True)
    assert api("GET", f"/servers/{api.active()}/tags?odd=1", version="2.104").status == 200
    assert api("DELETE", "/flavors/2?odd=1", version="2.104", user="admin").status == 202


# ---- 2.103: another name of /servers is gone


def test_servers_have_another_name_until_2_102(api: Any) -> None:
    """Under it they are made, listed, shown and acted on; from 2.103 on there is no such URL."""
    body = {"server": {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto"}}
    made = api("POST", "/os-volumes_boot", body, version="2.102")
    uuid = made.body["server"]["id"]
    api.change(uuid, vm_state="active", task_state=None, host="host-1", node="host-1")
    url = f"/os-volumes_boot/{uuid}"
    assert api("GET", url, version="2.1").body["server"] == api("GET", f"/servers/{uuid}", version="2.1").body["server"]
    assert [it["id"] for it in api("GET", "/os-volumes_boot/detail").body["servers"]] == [uuid]
    assert api("POST", f"{url}/action", {"os-stop": None}).status == 202
    assert api("POST", f"{url}/action", {"lock": None}).status == 400
    assert [api("GET", path, version="2.103").status for path in (url, "/os-volumes_boot")] == [404, 404]


# ---- 2.104: the zone that a server is pinned to


def pin(api: Any, uuid: str, zone: str | None, version: str = "2.104") -> Any:
    return api("PUT", f"/servers/{uuid}", {"server": {"pinned_availability_zone": zone}}, version=version)


def zones(api: Any, uuid: str) -> tuple[str | None, str | None]:
    """Give the zone that is shown, and the one that the scheduler will ask for."""
    with api.db.read() as tx:
        return show(api, uuid, "2.104")["pinned_availability_zone"], request_specs.get(tx, uuid).spec.availability_zone


def test_a_server_is_unpinned_and_pinned_again(api: Any) -> None:
    """What is shown and what a move asks for change together."""
    uuid = api.active(availability_zone="nova")
    api.change(uuid, availability_zone="nova")
    assert zones(api, uuid) == ("nova", "nova")
    for zone in (None, None, "nova", "nova"):
        assert pin(api, uuid, zone).body["server"]["pinned_availability_zone"] == zone
        assert zones(api, uuid) == (zone, zone)


def test_a_server_is_pinned_only_to_the_zone_that_it_is_in(api: Any) -> None:
    """A pinned one must be unpinned first, and no other zone will do: 409; before 2.104 there is no such field."""
    uuid = api.active(availability_zone="nova")
    api.change(uuid, availability_zone="nova")
    refused = [pin(api, uuid, "west")]
    pin(api, uuid, None)
    refused.append(pin(api, uuid, "west"))
    assert [(it.status, it.message.partition(" ")[0]) for it in refused] == [(409, "Cannot"), (409, "Server")]
    assert zones(api, uuid) == (None, None)
    assert pin(api, uuid, None, version="2.103").status == 400
