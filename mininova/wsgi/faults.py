"""How an error becomes an answer: its status by its class, its body in the words of the service.

The application and the ``faultwrap`` filter are the two callers.  For a failure of ours the user gets a plain sentence
with the request's id; the reason goes to the log only.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import webob

from mininova import errors
from mininova.wsgi.request import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

UNEXPECTED = "Unexpected API error. The log of the service says more, under the id of this request: {request_id}"
RETRY_AFTER_S = 5  # what a 503 advises
UNAVAILABLE = "The service is not ready for this now: try again in a moment. The id of this request is {request_id}"

# The key of an error's body in the Compute API, by status (nova: api/openstack/wsgi.py, Fault).
COMPUTE_KEYS = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}


def _compute(status: int, title: str, message: str) -> dict[str, Any]:
    return {COMPUTE_KEYS.get(status, "computeFault"): {"code": status, "message": message}}


def _identity(status: int, title: str, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "title": title}}


def _image(status: int, title: str, message: str) -> dict[str, Any]:
    return {"code": f"{status} {title}", "title": title, "message": message}


def _network(status: int, title: str, message: str) -> dict[str, Any]:
    return {"NeutronError": {"type": title.replace(" ", ""), "message": message, "detail": ""}}


# How each service writes an error: status, title, message → body.
FORMATS: dict[str, Callable[[int, str, str], dict[str, Any]]] = {
    "compute": _compute,
    "identity": _identity,
    "image": _image,
    "network": _network,
}


def respond(error: Exception, fault_format: str, environ: "WSGIEnvironment") -> webob.Response:
    """Turn an error into a response.  Headers among its details, such as WWW-Authenticate, go with it.

    :param fault_format: a key of FORMATS
    """
    status = error.http_status if isinstance(error, errors.MininovaError) else 500
    is_for_the_client = status < 500 or status == HTTPStatus.NOT_IMPLEMENTED
    message = str(error) if is_for_the_client else _keep_inside(error, status, environ)
    response = written(status, message, fault_format)
    response.headers.update(getattr(error, "details", {}).get("headers", {}))
    return response


def written(status: int, message: str | None, fault_format: str) -> webob.Response:
    """Write an error as a service does.

    :param message: what it says; None is the name of the status
    :param fault_format: a key of FORMATS
    """
    # keystonemiddleware answers 401, in the same form before every service.
    words = FORMATS["identity" if status == HTTPStatus.UNAUTHORIZED else fault_format]
    title = HTTPStatus(status).phrase
    body = words(status, title, title if message is None else message)
    response = webob.Response(msgspec.json.encode(body), status=status, content_type="application/json")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _keep_inside(error: Exception, status: int, environ: "WSGIEnvironment") -> str:
    """Log what users must not learn, such as which database is away, and give the words that they get."""
    asked = f"{environ['REQUEST_METHOD']} {environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    LOG.error("%s failed: %s", asked, error, exc_info=None if isinstance(error, errors.MininovaError) else error)
    words = UNAVAILABLE if status == HTTPStatus.SERVICE_UNAVAILABLE else UNEXPECTED
    return words.format(request_id=environ.get(REQUEST_ID, "none"))


class FaultWrap:
    """Answers for every error that is raised below it in the pipeline."""

    def __init__(self, app: "WSGIApplication", fault_format: str) -> None:
        self._app = app
        self._format = fault_format

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on (WSGI)."""
        try:
            return self._app(environ, start_response)
        except Exception as error:  # the last one who can still answer in the service's own words
            return respond(error, self._format, environ)(environ, start_response)


def filter_factory(global_conf: dict[str, str], format: str) -> Callable[["WSGIApplication"], FaultWrap]:
    """Make the Paste filter ``faultwrap``; ``format`` is a key of FORMATS."""
    return lambda app: FaultWrap(app, format)
