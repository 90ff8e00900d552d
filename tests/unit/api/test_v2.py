"""The legacy API below /v2 is 2.1 without microversions, and reads bodies less strictly."""

from typing import Any

import pytest

IMAGE = "11111111-1111-4111-8111-111111111111"
SERVER = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE}
PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


def boot(api: Any, **server: Any):
    return api("POST", "//v2/servers", {"server": {**SERVER, **server}, "beside": 1})


def test_each_version_of_the_root_is_served(api: Any) -> None:
    """A request below the link of each version that the root lists is served."""
    for version in api("GET", "//", user=None).body["versions"]:
        below = version["links"][0]["href"].removeprefix("http://localhost")
        assert api("GET", f"/{below}servers").body == {"servers": []}


@pytest.mark.parametrize("version", ["2.96", "2.9999", "two"])
def test_no_header_asks_for_a_version(api: Any, version: str) -> None:
    """The answer is that of 2.1, with no version and no Vary; so is an error."""
    uuid = boot(api).body["server"]["id"]
    answer = api("GET", f"//v2/servers/{uuid}", version=version)
    assert answer.status == 200
    assert answer.body == api("GET", f"//v2/servers/{uuid}").body
    assert "locked" not in answer.body["server"]
    for got in (answer, api("GET", "//v2/servers/none", version=version)):
        assert not {"openstack-api-version", "x-openstack-nova-api-version", "vary"} & {*map(str.lower, got.headers)}


def test_links_stay_below_v2(api: Any) -> None:
    """A client that follows them stays below /v2, with its project in the URL if it had it there."""
    answer = boot(api)
    uuid = answer.body["server"]["id"]
    assert answer.headers["Location"] == f"http://localhost/v2/servers/{uuid}"
    links = api("GET", f"//v2/{PROJECT}/servers/{uuid}").body["server"]["links"]
    assert [link["href"] for link in links] == [
        f"http://localhost/v2/{PROJECT}/servers/{uuid}", f"http://localhost/{PROJECT}/servers/{uuid}",
    ]  # fmt: skip


def test_an_unknown_field_is_ignored(api: Any) -> None:
    """An unknown field is ignored, and so is a field of a later version."""
    uuid = boot(api, nonsense=1, tags=["a"], description="d", networks=[]).body["server"]["id"]
    instance = api.instance(uuid)
    assert (instance.tags, instance.display_description) == ((), "vm")
    changed = api("PUT", f"//v2/servers/{uuid}", {"server": {"name": "x", "hostname": "other", "foo": 1}})
    assert (changed.body["server"]["name"], api.instance(uuid).hostname) == ("x", "vm")


def test_a_known_field_is_checked(api: Any) -> None:
    """A field of the wrong kind, or a missing one, is 400, and so is a wrong key of metadata."""
    assert "Invalid input for field/attribute networks. Value: auto." in boot(api, networks="auto").message
    assert api("POST", "//v2/servers", {"zz": 1}).message == "'server' is a required property"
    assert boot(api, metadata={"a$": "b"}).status == 400


def test_names_lose_the_spaces_around_them(api: Any) -> None:
    """2.1 refuses such names; a name made only of spaces is refused here, too."""
    uuid = boot(api, name=" vm ").body["server"]["id"]
    assert api.instance(uuid).display_name == "vm"
    api("PUT", f"//v2/servers/{uuid}", {"server": {"name": " other "}})
    assert api.instance(uuid).display_name == "other"
    flavor = {"name": " f ", "ram": 1, "vcpus": 1, "disk": 1}
    assert api("POST", "//v2/flavors", {"flavor": flavor}, user="admin").body["flavor"]["name"] == "f"
    assert api("POST", "//v2/os-keypairs", {"keypair": {"name": " k "}}).body["keypair"]["name"] == "k"
    assert boot(api, name="  ").message.endswith("printable characters with at least one non space character")
    assert boot(api, name=" a\u2028b").status == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/servers/{}/tags"), ("GET", "/servers/{}/topology"), ("PUT", "/flavors/1")]
)
def test_a_later_operation_is_404(api: Any, method: str, path: str) -> None:
    """Operations that came with a microversion are not below /v2."""
    uuid = boot(api).body["server"]["id"]
    assert api(method, f"//v2{path.format(uuid)}", user="admin").status == 404


def test_a_token_is_needed(api: Any) -> None:
    """Only the version's own document needs none."""
    assert api("GET", "//v2/servers", user=None).status == 401
    assert api("GET", "//v2/", user=None).body["version"]["id"] == "v2.0"
