"""Reports each request that changes something to the flow: the first line that ``mininova-flow show`` prints.

Reads are not reported, nor is a request whose sender stayed unknown: a client without a token leaves no history.  The
filter stands outside of those that answer, so it sees the status that the client gets.  Where the flow is off, this
filter is not in the pipeline.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova.rpc.watch import tracing
from mininova.rpc.watch.flow import MessageEvent, Report
from mininova.wsgi.deploy import current_parts
from mininova.wsgi.request import CONTEXT, FLOW, REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Flow:
    """Reports each request that changes something, once its sender is known, with the status it was answered with.

    :param publisher: the service as the flow names it, ``api.ctl-1``
    """

    def __init__(self, app: "WSGIApplication", report: Report, publisher: str) -> None:
        self._app = app
        self._report = report
        self._publisher = publisher

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on, and report it (WSGI)."""
        if environ["REQUEST_METHOD"] in _READS:
            return self._app(environ, start_response)
        # The path is read now: the application moves parts of it to SCRIPT_NAME.
        asked = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
        begun, clock = time.time(), time.monotonic()
        statuses: list[int] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            statuses.append(int(status.split()[0]))
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, start)
        finally:
            if CONTEXT in environ:
                duration = time.monotonic() - clock
                self._tell(environ, asked, begun, duration, statuses[-1] if statuses else 500)

    def _tell(self, environ: "WSGIEnvironment", asked: str, begun: float, duration: float, status: int) -> None:
        request_id, trace = environ[REQUEST_ID], tracing.current()
        event = MessageEvent(
            kind="http",
            at=begun,
            request_id=request_id,
            trace_id=None if trace is None else trace.trace_id,
            message_id=request_id,
            pattern="http",
            sender="client",
            receiver=self._publisher,
            method=asked,
            duration=duration,
            payload={"status": status, **environ.get(FLOW, {})},
        )
        self._report(event)


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], "WSGIApplication"]:
    """Make the Paste filter ``flow``."""
    parts = current_parts()
    report, publisher = parts.reporter, f"api.{parts.conf.host}"
    if report is None:
        return lambda app: app
    return lambda app: Flow(app, report, publisher)
