"""mininova/real/keystone.py with the stand-in over HTTP: keystonemiddleware tells a service what our filter tells it.

tests/stack/test_real_services.py has a real Keystone.
"""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import shift_path_info

import pytest

from mininova import conf, errors
from mininova.context import service_context
from mininova.real.keystone import AuthToken, ProjectService, adapter
from mininova.standins.keystone.db.identity import Project
from mininova.standins.keystone.middleware import AuthToken as OurFilter
from mininova.wsgi import Request


class Quiet(WSGIRequestHandler):
    """Answers without a line in a log."""

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def settings(app):
    """Give the settings of a service that asks this Keystone; it is up during the test."""

    def below_identity(environ, start_response):
        shift_path_info(environ)  # where the catalog says that it is
        return app(environ, start_response)

    with make_server("127.0.0.1", 0, below_identity, handler_class=Quiet) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        account = {"username": "admin", "password": "sesame", "project_name": "admin"}
        named = {f"keystone_authtoken.{name}": value for name, value in account.items()}
        named["keystone_authtoken.auth_url"] = f"http://127.0.0.1:{server.server_port}/identity/v3"
        yield conf.for_tests("api", **named)
        server.shutdown()
        serving.join()


def seen_behind(make_filter, headers):
    """Give the keys that a service behind a filter sees, those of who sends the request."""
    seen = {}

    def service(environ, start_response):
        told = {name: value for name, value in environ.items() if name.startswith(("HTTP_X_", "HTTP_OPENSTACK"))}
        seen.update({name: value for name, value in told.items() if value is not None})
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    asked = Request.blank("/v2.1/servers", base_url="http://cloud.example.org/compute", headers=headers)
    asked.get_response(make_filter(service))
    del seen["HTTP_X_AUTH_TOKEN"]
    return seen


def test_both_filters_say_the_same(settings, authority, token):
    """Of a member and of a token that nobody gave; keystonemiddleware adds the catalog, which nothing of ours reads."""
    for text in (token("demo").text, "forged"):
        headers = {"X-Auth-Token": text, "X-Roles": "admin", "X-User-Id": "root"}
        ours = seen_behind(lambda service: OurFilter(service, authority), headers)
        theirs = seen_behind(lambda service: AuthToken(service, settings), headers)
        theirs.pop("HTTP_X_SERVICE_CATALOG", None)
        assert theirs.keys() == ours.keys()
        assert {name: sorted(value.split(",")) for name, value in theirs.items()} == {
            name: sorted(value.split(",")) for name, value in ours.items()
        }


def test_a_refusal_names_keystone(settings):
    """What refuses a request behind the filter need not know where tokens are to be had."""

    def service(environ, start_response):
        raise errors.Unauthorized

    with pytest.raises(errors.Unauthorized) as refusal:
        Request.blank("/").get_response(AuthToken(service, settings))
    assert settings.keystone_authtoken.auth_url in refusal.value.details["headers"]["WWW-Authenticate"]


def test_projects(settings, find):
    """One that is there is there; any other is not; without a Keystone nothing is said."""
    projects = ProjectService(adapter(settings, "identity", "3"))
    assert projects.exists(service_context(), find(Project, "demo").id)
    assert not projects.exists(service_context(), "f" * 32)
    settings.set_override("auth_url", "http://127.0.0.1:1/v3", group="keystone_authtoken")
    with pytest.raises(errors.OtherServiceUnavailable, match="Keystone"):
        ProjectService(adapter(settings, "identity", "3")).exists(service_context(), "f" * 32)
