"""One HTTP request, as handlers see it: who asks, in which microversion, with which body.

What the middleware finds out travels in the WSGI environment under the keys below, so that each piece of the
pipeline can be replaced on its own; the two request ids are where oslo.middleware puts them.
"""

from typing import Any

import msgspec
import webob

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi.microversion import Microversion

CONTEXT = "mininova.context"
API_VERSION = "mininova.api_version"
REQUEST_ID = "openstack.request_id"
GLOBAL_REQUEST_ID = "openstack.global_request_id"
_JSON = "mininova.json"


class Request(webob.Request):
    """A request with mininova's few additions to WebOb's."""

    @property
    def context(self) -> RequestContext:
        """Who asks.

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
        raw = self.body
        if not raw:
            return None
        if self.content_type and self.content_type != "text/plain" and "json" not in self.content_type:
            raise errors.UnsupportedMediaType()
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
            raise errors.InvalidInput(f"Malformed request body: {reason}") from reason
