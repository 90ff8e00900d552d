"""A table of routes as a WSGI application.

A handler takes the request and gives back plain data: a dict is a 200 with JSON, a Reply is what it says, None is
a 204.  mininova/wsgi/faults.py answers what it raises.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import webob

from mininova.wsgi import faults
from mininova.wsgi.request import Request
from mininova.wsgi.router import Route, Router

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Reply:
    """An answer that is more than 200 and JSON.

    :param body: what to send: bytes as they are, an iterable of bytes piece by piece, anything else as JSON; None
        is no body at all
    :param content_type: what bytes are
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/octet-stream"


class Application:
    """Answers requests from a table of routes; a service that needs more overrides ``open`` or ``close``.

    :param fault_format: a key of faults.FORMATS
    """

    request_class: type[Request] = Request

    def __init__(self, routes: Iterable[Route], fault_format: str) -> None:
        self._router = Router(routes)
        self._format = fault_format

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Answer one request (WSGI)."""
        request = self.request_class(environ)
        try:
            request.require_text()
            handler, variables = self._router.match(request, self.open(request))
            response = to_response(handler(request, **variables))
        except Exception as error:  # every error has an answer: faults.respond has the last word
            response = faults.respond(error, self._format, environ)
        self.close(request, response)
        return response(environ, start_response)

    def open(self, request: Request) -> str:
        """Prepare a request, and give the path to look up in the table."""
        return request.path_info or "/"

    def close(self, request: Request, response: webob.Response) -> None:
        """Add the headers that every response of the service has."""


class Filter(Application):
    """Answers the requests of its own routes, and passes all others on to the application behind it."""

    def __init__(self, routes: Sequence[Route], fault_format: str, app: "WSGIApplication") -> None:
        super().__init__(routes, fault_format)
        self._paths = {route.template.rstrip("/") for route in routes}
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Answer, or pass on (WSGI)."""
        if environ.get("PATH_INFO", "").rstrip("/") in self._paths:
            return super().__call__(environ, start_response)
        return self._app(environ, start_response)


def to_response(result: Any) -> webob.Response:
    """Turn what a handler gave back into a response."""
    reply = result if isinstance(result, Reply) else Reply(204 if result is None else 200, result)
    if reply.body is None:
        response = webob.Response(status=reply.status)
        response.headers.pop("Content-Type", None)
    elif isinstance(reply.body, bytes):
        response = webob.Response(reply.body, status=reply.status, content_type=reply.content_type)
    elif isinstance(reply.body, (dict, list)):
        response = webob.Response(_encode(reply.body), status=reply.status, content_type="application/json")
    else:
        response = webob.Response(app_iter=reply.body, status=reply.status, content_type=reply.content_type)
    response.headers.update(list(reply.headers.items()))
    return response
