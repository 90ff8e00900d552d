"""The filter ``authtoken``: what a service behind mininova/standins/keystone/middleware.py sees."""

import pytest

from mininova import errors
from mininova.standins.keystone.db.standing import SYSTEM
from mininova.standins.keystone.middleware import AuthToken
from mininova.wsgi import Request
from mininova.wsgi.request import ENDPOINT

# Copied from keystonemiddleware's documentation, so that the filter's table is not compared with itself.
SPOOFS = {
    "X-Identity-Status": "Confirmed",
    "X-Service-Identity-Status": "Confirmed",
    "X-User-Id": "root",
    "X-User-Name": "root",
    "X-User-Domain-Id": "x",
    "X-User-Domain-Name": "x",
    "X-Project-Id": "theirs",
    "X-Project-Name": "theirs",
    "X-Project-Domain-Id": "x",
    "X-Project-Domain-Name": "x",
    "X-Domain-Id": "x",
    "X-Domain-Name": "x",
    "X-Roles": "admin",
    "X-Is-Admin-Project": "True",
    "X-Service-Catalog": "[]",
    "X-Service-User-Id": "nova",
    "X-Service-Roles": "service",
    "X-Service-Project-Id": "service",
    "X-Tenant-Id": "theirs",
    "X-Tenant-Name": "theirs",
    "X-Tenant": "theirs",
    "X-User": "root",
    "X-Role": "admin",
    "OpenStack-System-Scope": "all",
}


def environment_keys(headers):
    return {f"HTTP_{name.upper().replace('-', '_')}" for name in headers}


class Service:
    """The service behind the filter: remembers what it saw, and answers as the test wants."""

    def __init__(self):
        self.seen = None
        self.status = "200 OK"
        self.error = None

    def __call__(self, environ, start_response):
        self.seen = {key: value for key, value in environ.items() if key in environment_keys(SPOOFS)}
        self.environ = environ
        if self.error:
            raise self.error
        start_response(self.status, [("Content-Length", "0")])
        return [b""]


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def send(service, authority):
    """Send a request with headers through the filter."""

    def request(headers, endpoint=None):
        asked = Request.blank("/v2.1/servers", base_url="http://cloud.example.org/compute", headers=headers)
        if endpoint is not None:
            asked.environ[ENDPOINT] = endpoint
        return asked.get_response(AuthToken(service, authority))

    return request


def test_a_project_token_sets_the_projects_keys(service, send, token):
    """A token for a project sets the keys that keystonemiddleware sets for one, and no others."""
    demo = token("demo")
    send({"X-Auth-Token": demo.text})
    assert service.seen == {
        "HTTP_X_IDENTITY_STATUS": "Confirmed",
        "HTTP_X_USER_ID": demo.user.id,
        "HTTP_X_USER_NAME": "demo",
        "HTTP_X_USER_DOMAIN_ID": "default",
        "HTTP_X_USER_DOMAIN_NAME": "Default",
        "HTTP_X_PROJECT_ID": demo.project.id,
        "HTTP_X_PROJECT_NAME": "demo",
        "HTTP_X_PROJECT_DOMAIN_ID": "default",
        "HTTP_X_PROJECT_DOMAIN_NAME": "Default",
        "HTTP_X_ROLES": "member,reader",
        "HTTP_X_IS_ADMIN_PROJECT": "True",
        "HTTP_X_ROLE": "member,reader",
        "HTTP_X_USER": "demo",
        "HTTP_X_TENANT_ID": demo.project.id,
        "HTTP_X_TENANT_NAME": "demo",
        "HTTP_X_TENANT": "demo",
    }
    assert service.environ["keystone.token_info"]["token"]["project"]["name"] == "demo"


def test_a_system_token_sets_the_systems_key(service, send, token):
    """A token for the system sets its key, and no project."""
    send({"X-Auth-Token": token("admin", SYSTEM).text})
    assert service.seen["HTTP_OPENSTACK_SYSTEM_SCOPE"] == "all"
    assert "HTTP_X_PROJECT_ID" not in service.seen
    assert service.seen["HTTP_X_ROLES"] == "admin,manager,member,reader"


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": ""}, {"X-Auth-Token": "forged"}])
def test_spoofed_without_a_token(service, send, headers):
    """Without a valid token, none of the identity headers that a client sends get through."""
    send({**SPOOFS, **headers})
    assert service.seen == {"HTTP_X_IDENTITY_STATUS": "Invalid"}


def test_spoofed_with_a_token(service, send, token):
    """With a token, only its identity gets through: a client cannot add to it."""
    send({**SPOOFS, "X-Auth-Token": token("demo", None).text})
    honest = dict(service.seen)
    send({"X-Auth-Token": token("demo", None).text})
    assert honest == service.seen
    assert "HTTP_X_PROJECT_ID" not in service.seen
    assert service.seen["HTTP_X_ROLES"] == ""


def test_spoofed_token_info(service, authority):
    """Keys that another filter or server left in the environment are removed as well."""
    environ = Request.blank("/").environ | {"keystone.token_info": {"token": {}}}
    AuthToken(service, authority)(environ, lambda *_: None)
    assert "keystone.token_info" not in service.environ


def test_revoked(service, send, token, authority):
    """A revoked token sets no identity."""
    demo = token("demo")
    authority.revoke(demo)
    send({"X-Auth-Token": demo.text})
    assert service.seen == {"HTTP_X_IDENTITY_STATUS": "Invalid"}


def test_service_token(service, send, token):
    """A service's own token sets other keys than the user's."""
    send({"X-Auth-Token": token("demo").text, "X-Service-Token": token("admin").text})
    assert service.seen["HTTP_X_SERVICE_IDENTITY_STATUS"] == "Confirmed"
    assert service.seen["HTTP_X_SERVICE_USER_ID"] == token("admin").user.id
    assert service.seen["HTTP_X_USER_NAME"] == "demo"


def test_bad_service_token(service, send, token):
    """An invalid service token is marked as invalid, and the user's token still counts."""
    send({"X-Auth-Token": token("demo").text, "X-Service-Token": "forged"})
    assert service.seen["HTTP_X_SERVICE_IDENTITY_STATUS"] == "Invalid"
    assert service.seen["HTTP_X_IDENTITY_STATUS"] == "Confirmed"


def test_a_refused_client_gets_the_url_for_tokens(service, send):
    """A 401 of the service has a header with the URL of the identity service."""
    service.status = "401 Unauthorized"
    assert send({}).headers["WWW-Authenticate"] == 'Keystone uri="http://cloud.example.org/identity"'
    there = send({}, "https://api.example.net:8774").headers["WWW-Authenticate"]
    assert there == 'Keystone uri="https://api.example.net:8774/identity"'


def test_refusal_by_exception(service, send):
    """A refusal that is raised as an exception carries the same header."""
    service.error = errors.Unauthorized()
    with pytest.raises(errors.Unauthorized) as refusal:
        send({})
    assert "WWW-Authenticate" in refusal.value.details["headers"]


def test_other_answers_are_left_alone(service, send):
    """Other answers are not changed."""
    service.status = "403 Forbidden"
    assert "WWW-Authenticate" not in send({}).headers
