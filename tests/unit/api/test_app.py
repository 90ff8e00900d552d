"""URLs, versions and errors, as every request meets them."""

from typing import Any

import pytest

from mininova.api.routes import ROUTES


@pytest.mark.parametrize("path", ["//", "//v2", "//v2.1", "//v2.1/"])
def test_version_documents_need_no_token(api: Any, path: str) -> None:
    """A client that has no token yet can find out which API this is."""
    assert api("GET", path, user=None).status == 200


def test_the_root_lists_v2_first(api: Any) -> None:
    """Tempest and keystoneauth want the oldest first, each with a link to its document."""
    versions = api("GET", "//", user=None).body["versions"]
    assert [version["id"] for version in versions] == ["v2.0", "v2.1"]
    assert [version["links"][0]["href"] for version in versions] == ["http://localhost/v2/", "http://localhost/v2.1/"]


def test_v21_says_which_microversions_there_are(api: Any) -> None:
    """The range of microversions is what clients negotiate with."""
    document = api("GET", "//v2.1", user=None).body["version"]
    assert (document["min_version"], document["version"], document["status"]) == ("2.1", "2.104", "CURRENT")


@pytest.mark.parametrize("path", ["//v2.1", "//v2.1/"])
@pytest.mark.parametrize(("asked", "said"), [(None, "2.1"), ("2.47", "2.47"), ("latest", "2.104")])
def test_the_document_of_v21_says_the_microversion_that_was_asked_for(
    api: Any, path: str, asked: str | None, said: str
) -> None:
    """Every other answer says it, too, and the Vary header tells caches that it matters."""
    answer = api("GET", path, user=None, version=asked)
    assert answer.headers["OpenStack-API-Version"] == f"compute {said}"
    assert answer.headers["X-OpenStack-Nova-API-Version"] == said
    assert "OpenStack-API-Version" in answer.headers["Vary"]


@pytest.mark.parametrize(("asked", "status"), [("2.9999", 406), ("two", 400)])
def test_only_the_document_of_v21_minds_the_microversion(api: Any, asked: str, status: int) -> None:
    """The root and /v2 have no microversions: they answer the same to any, and name none."""
    assert api("GET", "//v2.1", user=None, version=asked).status == status
    for path in ("//", "//v2"):
        answer = api("GET", path, user=None, version=asked)
        assert (answer.status, "Vary" in answer.headers) == (200, False)


def test_every_other_request_needs_a_token(api: Any) -> None:
    """A request without a valid token gets 401."""
    answer = api("GET", "/servers", user=None)
    assert (answer.status, list(answer.body)) == (401, ["error"])


@pytest.mark.parametrize("version", ["2.1", "2.104"])
def test_the_answer_says_its_microversion(api: Any, version: str) -> None:
    """Both headers say it, on success and on failure, and the Vary header tells caches that it matters."""
    for answer in (api("GET", "/servers", version=version), api("GET", "/nothing", version=version)):
        assert answer.headers["OpenStack-API-Version"] == f"compute {version}"
        assert answer.headers["X-OpenStack-Nova-API-Version"] == version
        assert "OpenStack-API-Version" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("headers", "spoken"),
    [
        ({}, "2.1"),
        ({"X-OpenStack-Nova-API-Version": "2.10"}, "2.10"),
        ({"OpenStack-API-Version": "identity 3.0, compute 2.47"}, "2.47"),
        ({"OpenStack-API-Version": "volume 3.60"}, "2.1"),
        ({"OpenStack-API-Version": "compute 2.9", "X-OpenStack-Nova-API-Version": "2.10"}, "2.9"),
        ({"OpenStack-API-Version": "compute latest"}, "2.104"),
    ],
)
def test_either_header_asks_for_a_version(api: Any, headers: dict[str, str], spoken: str) -> None:
    """Old and new clients ask in their own header; the new one wins."""
    assert api("GET", "/servers", headers=headers).headers["X-OpenStack-Nova-API-Version"] == spoken


@pytest.mark.parametrize("version", ["2.105", "2.0", "3.1"])
def test_an_unsupported_version_is_406(api: Any, version: str) -> None:
    """The answer says which versions are supported."""
    answer = api("GET", "/servers", version=version)
    assert answer.status == 406
    assert answer.message == f"Version {version} is not supported by the API. Minimum is 2.1 and maximum is 2.104."


def test_a_malformed_version_is_400(api: Any) -> None:
    """A header without a version is the client's mistake."""
    assert api("GET", "/servers", version="two").status == 400


def test_the_project_may_stand_in_the_url(api: Any) -> None:
    """Before 2.18 clients put it there; links then have it, too."""
    uuid = api.boot()
    answer = api("GET", f"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/servers/{uuid}")
    links = {link["rel"]: link["href"] for link in answer.body["server"]["links"]}
    assert links["self"] == f"http://localhost/v2.1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/servers/{uuid}"
    assert links["bookmark"] == f"http://localhost/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/servers/{uuid}"


def test_another_project_in_the_url_is_400(api: Any) -> None:
    """The URL and the token must name the same project."""
    assert "doesn't match Context's project_id" in api("GET", "/bbbbbbbbbbbb/servers").message


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", "/servers"), ("GET", "//v3/servers"), ("GET", "/os-fixed-ips"), ("GET", "//v2.1x")],
)
def test_an_unknown_url_or_method_is_404(api: Any, method: str, path: str) -> None:
    """As in Nova, an unknown URL is 404, and so is a method that a URL does not take."""
    answer = api(method, path)
    assert (answer.status, answer.message) == (404, "The resource could not be found.")


def test_every_answer_has_request_ids(api: Any) -> None:
    """Clients index the ids without asking whether they are there."""
    for answer in (api("GET", "/servers"), api("GET", "/nothing"), api("GET", "/servers", user=None)):
        assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]


def test_links_follow_the_public_endpoint(make_api: Any) -> None:
    """Behind a proxy, links begin with the configured address."""
    api = make_api(**{"api.public_endpoint": "https://cloud.example.org"})
    uuid = api.boot()
    href = api("GET", f"/servers/{uuid}").body["server"]["links"][0]["href"]
    assert href == f"https://cloud.example.org/v2.1/servers/{uuid}"


def test_the_table_has_no_row_twice() -> None:
    """A method, a template and an action name one handler in each microversion."""
    rows = [(row.method, row.template, row.action) for row in ROUTES]
    assert len(rows) == len(set(rows))
