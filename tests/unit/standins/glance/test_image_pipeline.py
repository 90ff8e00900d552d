"""The image service as mininova/wsgi/api-paste.ini puts it together, behind the real check of tokens."""

import pytest

from mininova import conf
from mininova.plugins.paste import OURS
from mininova.standins.keystone.bootstrap import bootstrap
from mininova.wsgi import Parts, Request, load_app


@pytest.fixture
def settings(db, tmp_path):
    key, folder = str(tmp_path / "token.key"), str(tmp_path / "images")
    settings = conf.for_tests("api", **{"identity.token_key_file": key, "image.directory": folder})
    bootstrap(db, settings, {"demo": "opensesame"}, {})
    return settings


@pytest.fixture
def http(db, settings):
    """Send a request to one of the services; give the response."""
    parts = Parts(settings, db, None, None, None)
    apps = {name: load_app(OURS, name, parts) for name in ("identity", "image")}

    def send(service, method, path, body=None, **headers):
        request = Request.blank(path, method=method, base_url=f"http://cloud.example.org/{service}")
        request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        if body is not None:
            request.json = body
        return request.get_response(apps[service])

    return send


@pytest.fixture
def token(http):
    domain = {"id": "default"}
    user = {"name": "demo", "domain": domain, "password": "opensesame"}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"name": "demo", "domain": domain}}}
    return http("identity", "POST", "/v3/auth/tokens", {"auth": auth}).headers["X-Subject-Token"]


@pytest.mark.parametrize(("path", "status"), [("/", 300), ("/versions", 200), ("/v2", 200), ("/v2/", 200)])
def test_versions(http, path, status):
    """The version documents are served without a token, and with an invalid one."""
    for headers in ({}, {"X_Auth_Token": "stale"}):
        response = http("image", "GET", path, **headers)
        assert response.status_int == status
        (version,) = response.json["versions"]
        assert version["links"] == [{"rel": "self", "href": "http://cloud.example.org/image/v2/"}]


@pytest.mark.parametrize("headers", [{}, {"X_Auth_Token": "forged"}, {"X_User_Id": "root", "X_Roles": "admin"}])
def test_without_a_token(http, headers):
    """Without a valid token the answer is 401, whatever identity the client's headers claim."""
    response = http("image", "GET", "/v2/images", **headers, X_Identity_Status="Confirmed", X_Project_Id="admin")
    assert response.status_int == 401
    assert response.headers["WWW-Authenticate"] == 'Keystone uri="http://cloud.example.org/identity"'
    assert response.json["error"]["code"] == 401


def test_the_token_wins_over_the_headers(http, token):
    """The identity is the token's, and not that of the client's headers."""
    spoof = {"X_Roles": "admin", "X_Project_Id": "theirs"}
    image = http("image", "POST", "/v2/images", {"name": "a"}, X_Auth_Token=token, **spoof)
    assert image.status_int == 201
    assert image.json["owner"] not in ("theirs", None)
    public = http("image", "POST", "/v2/images", {"visibility": "public"}, X_Auth_Token=token, **spoof)
    assert public.status_int == 403


def test_revoked(http, token):
    """A token that was revoked in the identity service is invalid here."""
    assert http("image", "GET", "/v2/images", X_Auth_Token=token).status_int == 200
    http("identity", "DELETE", "/v3/auth/tokens", X_Auth_Token=token, X_Subject_Token=token)
    assert http("image", "GET", "/v2/images", X_Auth_Token=token).status_int == 401
