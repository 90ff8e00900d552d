"""Makes the request's context from its checked token: the Paste filter ``keystonecontext``.

It reads the environment keys that keystonemiddleware (or mininova's stand-in for it) sets after checking the token,
and never the token itself.  It refuses a request without a confirmed identity.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi.request import CONTEXT, GLOBAL_REQUEST_ID, REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class KeystoneContext:
    """Makes the request's context."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass on a request whose sender is known (WSGI)."""
        if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed" or not environ.get("HTTP_X_USER_ID"):
            raise errors.Unauthorized()
        environ[CONTEXT] = context_of(environ)
        return self._app(environ, start_response)


def context_of(environ: "WSGIEnvironment") -> RequestContext:
    """Make a context of the keys that the check of the token set."""
    roles = tuple(role.strip() for role in environ.get("HTTP_X_ROLES", "").split(",") if role.strip())
    return RequestContext(
        request_id=environ[REQUEST_ID],
        global_request_id=environ.get(GLOBAL_REQUEST_ID),
        user_id=environ["HTTP_X_USER_ID"],
        user_name=environ.get("HTTP_X_USER_NAME"),
        project_id=environ.get("HTTP_X_PROJECT_ID"),
        project_name=environ.get("HTTP_X_PROJECT_NAME"),
        roles=roles,
        is_admin="admin" in roles,
    )


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], KeystoneContext]:
    """Make the Paste filter ``keystonecontext``."""
    return KeystoneContext
