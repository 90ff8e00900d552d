"""The request's context is made of the environment that the check of the token leaves."""

from mininova.api.auth import context_of
from mininova.wsgi import Request
from mininova.wsgi.request import GLOBAL_REQUEST_ID, REQUEST_ID

HEADERS = {"X-User-Id": "u", "X-User-Name": "Ada", "X-Project-Id": "p", "X-Project-Name": "demo"}


def context(roles: str):
    request = Request.blank("/", headers={**HEADERS, "X-Roles": roles})
    return context_of({**request.environ, REQUEST_ID: "req-1", GLOBAL_REQUEST_ID: "req-0"})


def test_the_context_has_the_user_of_the_environment() -> None:
    """User, project and request ids come from the environment."""
    ctxt = context("member,reader")
    assert (ctxt.user_id, ctxt.user_name, ctxt.project_id, ctxt.project_name) == ("u", "Ada", "p", "demo")
    assert (ctxt.request_id, ctxt.global_request_id) == ("req-1", "req-0")
    assert (ctxt.roles, ctxt.is_admin) == (("member", "reader"), False)


def test_the_role_admin_makes_an_administrator() -> None:
    """A user with the role admin is an administrator."""
    assert context("admin, reader").is_admin
