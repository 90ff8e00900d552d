"""The Paste filter ``authtoken``: finds out who sends a request, before the service behind it sees it.

It stands in for keystonemiddleware's auth_token with ``delay_auth_decision``, and sets the keys of the WSGI environment
that this one sets, no more and no fewer, so that either can be put in the place of the other.  It refuses no request:
the next filter does, so that version documents can be read without a token.  These headers are removed first, if the
client sent them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova import errors
from mininova.standins.keystone import catalog
from mininova.standins.keystone.app import make_authority
from mininova.standins.keystone.authority import Authority, Token
from mininova.standins.keystone.handlers.tokens import token_document
from mininova.wsgi import Request, current_parts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONFIRMED, INVALID = "Confirmed", "Invalid"

# The end of a key → what of the token it tells; the key begins with HTTP_X_ or, for a service's own token, with
# HTTP_X_SERVICE_.
FACTS = {
    "USER_ID": ("user", "id"),
    "USER_NAME": ("user", "name"),
    "USER_DOMAIN_ID": ("user_domain", "id"),
    "USER_DOMAIN_NAME": ("user_domain", "name"),
    "PROJECT_ID": ("project", "id"),
    "PROJECT_NAME": ("project", "name"),
    "PROJECT_DOMAIN_ID": ("project_domain", "id"),
    "PROJECT_DOMAIN_NAME": ("project_domain", "name"),
    "DOMAIN_ID": ("domain", "id"),
    "DOMAIN_NAME": ("domain", "name"),
}
ROLES = "ROLES"

# Older names, which services may still read → the one whose value they have.
OLD_NAMES = {
    "ROLE": ROLES,
    "USER": "USER_NAME",
    "TENANT_ID": "PROJECT_ID",
    "TENANT_NAME": "PROJECT_NAME",
    "TENANT": "PROJECT_NAME",
}

STATUS, SERVICE_STATUS = "HTTP_X_IDENTITY_STATUS", "HTTP_X_SERVICE_IDENTITY_STATUS"
SYSTEM_SCOPE, ADMIN_PROJECT = "HTTP_OPENSTACK_SYSTEM_SCOPE", "HTTP_X_IS_ADMIN_PROJECT"
TOKEN_INFO = "keystone.token_info"

# Every key that says who the sender is: only this filter may set them.
OURS = (
    *(STATUS, SERVICE_STATUS, SYSTEM_SCOPE, ADMIN_PROJECT, TOKEN_INFO, "keystone.token_auth", "HTTP_X_SERVICE_CATALOG"),
    *(f"HTTP_X_{name}" for name in (*FACTS, ROLES, *OLD_NAMES)),
    *(f"HTTP_X_SERVICE_{name}" for name in (*FACTS, ROLES)),
)


class AuthToken:
    """Checks ``X-Auth-Token`` and ``X-Service-Token``, and tells the next application what they stand for."""

    def __init__(self, app: "WSGIApplication", authority: Authority) -> None:
        self._app = app
        self._authority = authority

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass the request on, with what is known of its sender."""
        for key in OURS:
            environ.pop(key, None)
        token = self._check(environ.get("HTTP_X_AUTH_TOKEN"))
        environ[STATUS] = CONFIRMED if token is not None else INVALID
        if token is not None:
            environ.update(_of_user(token))
        if "HTTP_X_SERVICE_TOKEN" in environ:
            service = self._check(environ["HTTP_X_SERVICE_TOKEN"])
            environ[SERVICE_STATUS] = CONFIRMED if service is not None else INVALID
            if service is not None:
                environ.update(_facts(service, "HTTP_X_SERVICE_"))
        return self._pass_on(environ, start_response)

    def _check(self, text: str | None) -> Token | None:
        try:
            return self._authority.check(text.strip()) if text else None
        except errors.Unauthorized:
            return None

    def _pass_on(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Run the next application; its refusal (401) gets a header that says where to get a token."""
        where = {"WWW-Authenticate": f'Keystone uri="{Request(environ).endpoint}{catalog.IDENTITY}"'}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said = where.items() if status.startswith("401") else ()
            return start_response(status, [*headers, *said], exc_info)

        try:
            return self._app(environ, start)
        except errors.Unauthorized as refusal:
            raise errors.Unauthorized(str(refusal), headers=where) from refusal


def _of_user(token: Token) -> dict[str, Any]:
    """Give everything that is set for the user's own token."""
    facts = _facts(token, "HTTP_X_")
    for old, name in OLD_NAMES.items():
        if f"HTTP_X_{name}" in facts:
            facts[f"HTTP_X_{old}"] = facts[f"HTTP_X_{name}"]
    # There is no admin project; keystonemiddleware then says True.
    facts[ADMIN_PROJECT] = "True"
    if token.is_system:
        facts[SYSTEM_SCOPE] = "all"
    return {**facts, TOKEN_INFO: {"token": token_document(token)}}


def _facts(token: Token, prefix: str) -> dict[str, Any]:
    """Give what a token says, without what it says nothing of."""
    facts = {f"{prefix}{ROLES}": ",".join(token.role_names)}
    for name, (part, attribute) in FACTS.items():
        thing = getattr(token, part)
        if thing is not None:
            facts[f"{prefix}{name}"] = getattr(thing, attribute)
    return facts


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], AuthToken]:
    """Make the Paste filter ``authtoken``."""
    authority = make_authority(current_parts())
    return lambda app: AuthToken(app, authority)
