"""Filters that every request passes: one gives it an id, one a trace, and one limits its body.

All are Paste filters; none knows which service is behind it.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova import errors
from mininova.context import new_request_id
from mininova.rpc.watch import tracing
from mininova.wsgi.deploy import current_parts
from mininova.wsgi.request import GLOBAL_REQUEST_ID, REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mininova.rpc.watch.spans import Spans

_TRACE_HEADERS = {"HTTP_TRACEPARENT": tracing.TRACEPARENT, "HTTP_TRACESTATE": tracing.TRACESTATE}
_LENGTH = re.compile("0*([0-9]{1,18})")
_REQUEST_ID = re.compile(r"^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class RequestId:
    """Gives each request an id, and puts it into the response's headers.

    A caller's own ``X-OpenStack-Request-ID`` becomes the global id, as oslo.middleware has it.

    :param headers: the response headers to say it in
    :param working_for: has the log lines of this thread carry it
    """

    def __init__(self, app: "WSGIApplication", headers: tuple[str, ...], working_for: Callable[[str], object]) -> None:
        self._app = app
        self._headers = headers
        self._working_for = working_for

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on (WSGI)."""
        request_id = new_request_id()
        environ[REQUEST_ID] = request_id
        self._working_for(request_id)
        theirs = environ.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
        environ[GLOBAL_REQUEST_ID] = theirs if _REQUEST_ID.match(theirs) else None
        said = [(name, request_id) for name in self._headers]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, headers + said, exc_info)

        return self._app(environ, start)


class Trace:
    """Continues the trace that a request's ``traceparent`` names, if it has one (W3C Trace Context).

    :param spans: makes a span of each, and begins a trace where there is none; None where there are no spans
    """

    def __init__(self, app: "WSGIApplication", spans: "Spans | None") -> None:
        self._app = app
        self._spans = spans

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on (WSGI)."""
        headers = {name: environ[key] for key, name in _TRACE_HEADERS.items() if key in environ}
        if self._spans is None:
            with tracing.continuing(headers):
                return self._app(environ, start_response)
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        with self._spans.answering(headers, environ["REQUEST_METHOD"], path) as answered:

            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
                answered(int(status.split()[0]))
                return start_response(status, headers, exc_info)

            return self._app(environ, start)


class SizeLimit:
    """Refuses a body that is longer than allowed, even if its Content-Length says otherwise.

    :param max_bytes: of the body
    """

    def __init__(self, app: "WSGIApplication", max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on, or refuse it (WSGI)."""
        length = _LENGTH.fullmatch(environ.get("CONTENT_LENGTH") or "0")
        if length is None or int(length[1]) > self._max_bytes:
            raise errors.RequestTooLarge(max_bytes=self._max_bytes)
        if environ.get("HTTP_TRANSFER_ENCODING"):
            environ["wsgi.input_terminated"] = True  # else WebOb takes a body without a length for none
        environ["wsgi.input"] = _LimitedInput(environ["wsgi.input"], self._max_bytes)
        environ["webob.is_body_seekable"] = False  # bytes that were read through this are gone
        return self._app(environ, start_response)


class _LimitedInput:
    """A body that stops with an error when more than the allowed bytes were read (it may come in chunks)."""

    def __init__(self, stream: Any, left: int) -> None:
        self._stream = stream
        self._left = self._max_bytes = left

    def read(self, size: int = -1) -> bytes:
        return self._take(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._take(self._stream.readline, size)

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def _take(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        # One byte more than allowed is enough to know, and bounds what a chunked body can make us hold.
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        try:
            data = read(wanted)
        except (OSError, ValueError) as reason:
            raise errors.InvalidInput("The request body broke off, came too slowly, or in broken chunks.") from reason
        self._left -= len(data)
        if self._left < 0:
            raise errors.RequestTooLarge(max_bytes=self._max_bytes)
        return data


def request_id_factory(
    global_conf: dict[str, str], headers: str = "x-openstack-request-id"
) -> Callable[["WSGIApplication"], RequestId]:
    """Make the Paste filter ``request_id``; ``headers`` are response headers, separated by spaces."""
    working_for = current_parts().working_for
    return lambda app: RequestId(app, tuple(headers.split()), working_for)


def trace_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Trace]:
    """Make the Paste filter ``trace``."""
    spans = current_parts().spans
    return lambda app: Trace(app, spans)


def sizelimit_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], SizeLimit]:
    """Make the Paste filter ``sizelimit``, which takes ``[api] max_request_body_size``."""
    max_bytes = current_parts().conf.api.max_request_body_size
    return lambda app: SizeLimit(app, max_bytes)
