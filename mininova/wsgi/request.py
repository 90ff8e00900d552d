"""One HTTP request, as handlers see it: its sender, its microversion and its body.

What the middleware finds out travels in the WSGI environment under the keys below, so that each piece of the
pipeline can be replaced on its own; the two request ids are where oslo.middleware puts them.
"""

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import msgspec
import webob

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi.microversion import Microversion

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONTEXT = "mininova.context"
API_VERSION = "mininova.api_version"
REQUEST_ID = "openstack.request_id"
GLOBAL_REQUEST_ID = "openstack.global_request_id"
ENDPOINT = "mininova.endpoint"
FLOW = "mininova.flow"  # what the flow is to tell of a request, beside its status
HANG_UP = "mininova.hang_up"  # closes the connection without an answer, where the server can
_JSON = "mininova.json"

MAX_JSON_LEVELS = 64  # objects and lists inside one another
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # the character's only form in JSON, and no escaped backslash before it


class Request(webob.Request):
    """A request with mininova's few additions to WebOb's."""

    # WebOb writes no body to a file: the size limit keeps each small enough for memory.
    request_body_tempfile_limit = sys.maxsize

    @property
    def context(self) -> RequestContext:
        """The sender of the request.

        :raises errors.Unauthorized: when no middleware found that out
        """
        context: RequestContext | None = self.environ.get(CONTEXT)
        if context is None:
            raise errors.Unauthorized()
        return context

    @property
    def api_version(self) -> Microversion:
        """The microversion that the answer is to be given in; the oldest when none was negotiated."""
        version: Microversion = self.environ.get(API_VERSION, Microversion(2, 1))
        return version

    @property
    def request_id(self) -> str | None:
        """The ``req-…`` id that this request is known by, from here to its last notification."""
        request_id: str | None = self.environ.get(REQUEST_ID)
        return request_id

    @property
    def endpoint(self) -> str:
        """How users reach the cloud, without a slash at the end: all links begin with it.

        The filter ``endpoint`` sets it where the operator has said something.  Else it is the address at which the
        request came in, and never the Host that the client names.
        """
        endpoint: str | None = self.environ.get(ENDPOINT)
        return _address_of(self.environ) if endpoint is None else endpoint

    @property
    def service_endpoint(self) -> str:
        """Where the cloud has the service that is asked, such as ``http://cloud.example.org:8774/compute``."""
        return self.endpoint + str(self.script_name)

    def require_text(self) -> None:
        """Refuse a URL that is not in UTF-8, or has the character NUL, which no database takes.

        :raises errors.NotFound: when it is the path: nothing is called so
        :raises errors.InvalidInput: when it is the query
        """
        if not _is_text(self.environ.get("PATH_INFO", "").encode("latin-1")):
            raise errors.NotFound()
        if not _is_text(unquote_to_bytes(self.environ.get("QUERY_STRING", "").encode("latin-1"))):
            raise errors.InvalidInput("The query is not in UTF-8, or has the character NUL in it.")

    @property
    def document(self) -> Any:
        """The body, decoded from JSON once; None when there is none.

        :raises errors.InvalidInput: when the body is no JSON
        :raises errors.UnsupportedMediaType: when it does not even say that it is
        """
        if _JSON not in self.environ:
            self.environ[_JSON] = self._decode()
        return self.environ[_JSON]

    def body_of(self, key: str) -> dict[str, Any]:
        """Give the object under the body's one key, such as ``server`` or ``auth``.

        :raises errors.InvalidInput: when there is no such object
        """
        body = self.document
        if not isinstance(body, dict) or not isinstance(body.get(key), dict):
            raise errors.InvalidInput(f"The request body must be a JSON object with an object under {key!r}.")
        inner: dict[str, Any] = body[key]
        return inner

    def _decode(self) -> Any:
        try:
            raw = self.body
        except OSError as reason:
            raise errors.InvalidInput("The request body ended before it was complete.") from reason
        if not raw:
            return None
        if self.content_type and self.content_type != "text/plain" and "json" not in self.content_type:
            raise errors.UnsupportedMediaType()
        if _NUL.search(raw):
            raise errors.InvalidInput("Malformed request body: the character NUL is in it.")
        try:
            document = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
            raise errors.InvalidInput(f"Malformed request body: {reason}") from reason
        if _is_deeper(document, MAX_JSON_LEVELS):
            raise errors.InvalidInput(f"Malformed request body: it is more than {MAX_JSON_LEVELS} levels deep.")
        return document


def _address_of(environ: "WSGIEnvironment") -> str:
    """Give the URL of the server's own end of a connection."""
    scheme, name, port = environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


def _is_deeper(document: Any, levels: int) -> bool:
    """Tell whether a document is nested deeper; it goes level by level, so that depth takes no stack."""
    level = [document]
    for _ in range(levels + 1):
        holders = [
            item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))
        ]
        level = [item for holder in holders for item in holder]
    return bool(level)
