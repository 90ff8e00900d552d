"""The control API as an application: the tables of its nouns, behind a token of its own.

Each noun has a module: rules.py, whole.py, hypervisors.py, messages.py, servers.py, services.py.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Any

from mininova import errors
from mininova.control import openapi
from mininova.control.hypervisors import HypervisorHandlers
from mininova.control.messages import MessageHandlers
from mininova.control.rules import RuleHandlers
from mininova.control.servers import ServerHandlers
from mininova.control.services import LocalStack, ServiceHandlers
from mininova.control.whole import WholeHandlers
from mininova.wsgi import Application, Request, Route, current_parts

DOCUMENT = "/openapi.json"


class ControlApplication(Application):
    """Answers requests of those who have the token; its own description it shows to anyone.

    :param routes: beside the row of the description
    """

    def __init__(self, token: str, routes: Sequence[Route]) -> None:
        super().__init__([*routes, Route("GET", DOCUMENT, self._describe)], "compute")
        self._token, self._document = token.encode(), openapi.document(routes)

    def _describe(self, request: Request) -> dict[str, Any]:
        return self._document

    def open(self, request: Request) -> str:
        """Let those in who have the token.

        :raises errors.Unauthorized: without one, and errors.NotAllowed with another
        """
        path = request.path_info or "/"
        if path != DOCUMENT:
            scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
            sent = request.headers.get("X-Control-Token") or (bearer if scheme.lower() == "bearer" else "")
            if not sent:
                raise errors.Unauthorized("The control API takes its token as X-Control-Token, or as a bearer's.")
            if not compare_digest(sent.encode(), self._token):
                raise errors.NotAllowed("This is not the token of the control API.")
        return path


def app_factory(global_conf: dict[str, str]) -> Application:
    """Make the Paste application ``control_app``; without ``[control] token``, one that has nothing."""
    parts = current_parts()
    settings = parts.conf.control
    if parts.rules is None or not settings.token:
        return Application((), "compute")
    stack = LocalStack(settings.stack) if settings.stack else None
    routes = [
        *RuleHandlers(parts.rules).routes(),
        *WholeHandlers(parts.rules, parts.world).routes(),
        *HypervisorHandlers(settings.behaviour).routes(),
        *MessageHandlers(parts.conf.losses.file).routes(),
        *ServerHandlers(parts.db).routes(),
        *ServiceHandlers(stack).routes(),
    ]
    return ControlApplication(settings.token, routes)
