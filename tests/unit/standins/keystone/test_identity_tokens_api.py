"""``/v3/auth``, over HTTP: mininova/standins/keystone/handlers/tokens.py and versions.py."""

from datetime import datetime

import pytest

from mininova.standins.keystone.db.identity import User
from mininova.standins.keystone.db.standing import SYSTEM

BASE = "http://cloud.example.org/identity"


@pytest.fixture
def login(http, password_login):
    def post(query="", **auth):
        return http("POST", f"/v3/auth/tokens{query}", {"auth": password_login(**auth)}, by=None)

    return post


DEMO = {"project": {"name": "demo", "domain": {"name": "Default"}}}


def test_versions(http):
    """The root answers 300 with every version, /v3 the one; both without a token."""
    root, v3 = http("GET", "/", by=None), http("GET", "/v3", by=None)
    assert (root.status_int, v3.status_int) == (300, 200)
    assert root.json == {"versions": {"values": [v3.json["version"]]}}
    assert v3.json["version"]["links"] == [{"rel": "self", "href": f"{BASE}/v3/"}]
    assert http("GET", "/v3/", by=None).json == v3.json


def test_login(login):
    """A login answers 201 with the token in a header and its details in the body."""
    response = login(**DEMO)
    token = response.json["token"]
    assert response.status_int == 201
    assert response.headers["X-Subject-Token"].count(".") == 2
    assert token["user"] == {
        "id": token["user"]["id"],
        "name": "demo",
        "domain": {"id": "default", "name": "Default"},
        "password_expires_at": None,
    }
    assert (token["project"]["name"], token["project"]["domain"]["id"], token["is_domain"]) == (
        "demo",
        "default",
        False,
    )
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert all(role["id"] for role in token["roles"])
    assert token["methods"] == ["password"]
    assert len(token["audit_ids"]) == 1


def test_moments(login):
    """Moments are written as Keystone writes them, and an hour apart."""
    token = login(**DEMO).json["token"]
    issued, expires = (
        datetime.strptime(token[f"{name}_at"], "%Y-%m-%dT%H:%M:%S.%fZ") for name in ("issued", "expires")
    )
    assert (expires - issued).total_seconds() == 3600


def test_catalog_in_a_token(login):
    """The catalog's URLs have the host name that the client used."""
    token = login(**DEMO).json["token"]
    urls = {one["type"]: one["endpoints"][0]["url"] for one in token["catalog"]}
    volumes = f"http://cloud.example.org/volume/v3/{token['project']['id']}"
    assert urls == {
        "identity": "http://cloud.example.org/identity",
        "compute": "http://cloud.example.org/compute/v2.1",
        "image": "http://cloud.example.org/image",
        "network": "http://cloud.example.org/network",
        "block-storage": volumes,
        "volumev3": volumes,
    }


def test_nocatalog(login):
    """?nocatalog leaves the catalog out, and nothing else."""
    assert set(login(**DEMO).json["token"]) - set(login("?nocatalog", **DEMO).json["token"]) == {"catalog"}


def test_unscoped(login):
    """An unscoped token has no roles, no project and no catalog."""
    assert {"roles", "project", "catalog", "domain", "system"}.isdisjoint(login().json["token"])


def test_system(login):
    """A token for the system says so."""
    token = login(name="admin", password="sesame", system={"all": True}).json["token"]
    assert token["system"] == {"all": True}
    assert "project" not in token


def test_wrong_password(login):
    """A wrong password is a 401 in Keystone's words."""
    response = login(password="wrong")
    assert response.status_int == 401
    message = "The request you have made requires authentication."
    assert response.json == {"error": {"code": 401, "message": message, "title": "Unauthorized"}}
    assert response.headers["WWW-Authenticate"] == f'Keystone uri="{BASE}"'
    assert response.headers["Vary"] == "X-Auth-Token"


@pytest.mark.parametrize("body", [None, [], {}, {"auth": 5}, {"auth": {"identity": None}}])
def test_malformed_login(http, body):
    """A body of another form is a 400."""
    assert http("POST", "/v3/auth/tokens", body, by=None).status_int == 400


def test_show_own(http, token):
    """A user can look at a token of their own; the body is that of the login."""
    subject = token("demo")
    response = http("GET", "/v3/auth/tokens", by="demo", X_Subject_Token=subject.text)
    assert response.status_int == 200
    assert response.headers["X-Subject-Token"] == subject.text
    assert response.json["token"]["project"]["name"] == "demo"
    assert http("HEAD", "/v3/auth/tokens", by="demo", X_Subject_Token=subject.text).status_int == 200


def test_show_anothers(http, token):
    """Only an administrator, or a service, can look at another user's token."""
    assert http("GET", "/v3/auth/tokens", by="demo", X_Subject_Token=token("admin").text).status_int == 403
    assert http("GET", "/v3/auth/tokens", by="admin", X_Subject_Token=token("demo").text).status_int == 200


@pytest.mark.parametrize("subject", ["", "forged"])
def test_show_what_does_not_hold(http, subject):
    """An invalid token is not found; an invalid token of the caller itself is 401."""
    assert http("GET", "/v3/auth/tokens", X_Subject_Token=subject).status_int == 404
    assert http("GET", "/v3/auth/tokens", by="forged", X_Subject_Token=subject).status_int == 401


def test_revoke(http, token):
    """A revoked token is refused from then on."""
    demo = token("demo").text
    assert http("DELETE", "/v3/auth/tokens", by=demo, X_Subject_Token=demo).status_int == 204
    assert http("GET", "/v3/auth/catalog", by=demo).status_int == 401


def test_catalog(http):
    """The catalog has a URL of its own."""
    types = {one["type"] for one in http("GET", "/v3/auth/catalog", by="demo").json["catalog"]}
    assert types == {"identity", "compute", "image", "network", "block-storage", "volumev3"}


def test_where_one_can_go(http, token):
    """A user can list the projects, domains and systems that a token can be for."""
    assert [one["name"] for one in http("GET", "/v3/auth/projects", by="demo").json["projects"]] == ["demo"]
    assert http("GET", "/v3/auth/domains", by="demo").json["domains"] == []
    assert http("GET", "/v3/auth/system", by="demo").json["system"] == []
    assert http("GET", "/v3/auth/system", by=token("admin", SYSTEM).text).json["system"] == [{"all": True}]


def test_a_disabled_caller_is_refused(http, token, change):
    """The token of a caller who was disabled meanwhile is refused."""
    demo = token("demo").text
    change(User, "demo", enabled=False)
    assert http("GET", "/v3/auth/projects", by=demo).status_int == 401
