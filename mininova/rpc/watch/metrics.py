"""Counters, gauges and latencies of the messages of a process, for Prometheus.

The only module that knows prometheus_client, and the application imports it only where metrics are wanted.  A
Metrics is the Watch of a Peer; its registry is what ``page`` serves.

A label's value comes from what this process declares, never from a message alone: otherwise any sender could make a
new series with each name it invents.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    make_wsgi_app,
)

from mininova.rpc.envelope import Request
from mininova.rpc.errors import MessagingTimeout
from mininova.rpc.interface import CALL, Interface
from mininova.rpc.transports.base import Message
from mininova.rpc.watch.base import Watch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/metrics"
UNKNOWN = "unknown"

#: Seconds, from a call that nothing holds up to one that has used up the default deadline.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

#: The kinds of ``Watch.happened`` that are counted, and the help of each counter.
COUNTED = {
    "received": "Messages taken from a queue for the first time.",
    "redelivered": "Messages taken from a queue that an earlier receiver had in hand when it was lost.",
    "rejected": "Messages that were refused, by the class of the error.",
    "denied": "Messages and replies whose sender may not send them.",
    "retried": "Casts that failed, or whose receiver was lost, sent to their queue for another try.",
    "parked": "Casts given up after their last try, and put into the queue of the dead.",
    "resent": "Messages sent once more, because the broker did not confirm them or no answer came.",
    "lost": "Messages that their sender lost on purpose, by a rule.",
}
_LABELS = ("interface", "method")


class Metrics(Watch):
    """Count and time what a peer and its servers do.

    :param registry: where it all is registered, one for a process
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._counted = {kind: self._counter(kind, text) for kind, text in COUNTED.items()}
        self._sent = Counter("mininova_rpc_sent", "Messages sent.", (*_LABELS, "pattern"), registry=registry)
        self._calls = self._gauge("mininova_rpc_calls_in_flight", "Calls that wait for an answer.")
        self._handlers = self._gauge("mininova_rpc_handlers_in_flight", "Messages in the hands of their handlers.")
        self._waited = self._histogram(
            "mininova_rpc_call_duration_seconds", "From the sending of a call to its outcome: ok, error or timeout."
        )
        self._worked = self._histogram(
            "mininova_rpc_handler_duration_seconds", "The work of a handler until its outcome: ok, error or timeout."
        )
        self._declared: dict[str, set[str]] = {}  # interface → its methods
        self._topics: set[str] = set()
        self._in_flight: dict[str, tuple[str, str]] = {}  # message_id → its labels

    def _counter(self, kind: str, text: str) -> Counter:
        labels = (*_LABELS, "error") if kind == "rejected" else _LABELS
        return Counter(f"mininova_rpc_{kind}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, _LABELS, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, (*_LABELS, "outcome"), registry=self.registry, buckets=BUCKETS)

    # ---- the hooks of a Watch

    def serving(self, topic: str, interfaces: Iterable[type[Interface]]) -> None:
        """Learn the names that labels may have."""
        self._topics.add(topic)
        for interface in interfaces:
            self._declared.setdefault(interface.namespace or topic, set()).update(interface.methods)

    @contextmanager
    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> Iterator[Message]:
        """Count a message, and time the wait of a call."""
        labels = request.namespace or topic, request.method  # this process declares what it sends
        self._sent.labels(*labels, pattern).inc()
        self._in_flight[message.message_id] = labels
        try:
            if pattern == CALL:
                with self._calls.labels(*labels).track_inprogress(), _timed(self._waited, labels):
                    yield message
            else:
                yield message
        finally:
            self._in_flight.pop(message.message_id, None)

    @contextmanager
    def handling(self, topic: str, message: Message, request: Request) -> Iterator[None]:
        """Time a handler."""
        labels = self._labels(request.namespace or topic, request.method)
        with self._handlers.labels(*labels).track_inprogress(), _timed(self._worked, labels):
            yield

    def happened(
        self, kind: str, message: Message, request: Request | None, *, error: Exception | None = None, **more: Any
    ) -> None:
        """Count it, if it is of a kind that is counted."""
        if (counter := self._counted.get(kind)) is None:
            return
        labels = self._in_flight.get(message.message_id) if kind in ("resent", "lost") else None
        if labels is None and request is not None:
            labels = self._labels(request.namespace or self._topic(message), request.method)
        why = (UNKNOWN if error is None else type(error).__name__,) if kind == "rejected" else ()
        counter.labels(*(labels or (UNKNOWN, UNKNOWN)), *why).inc()

    # ---- labels

    def _labels(self, interface: str, method: str) -> tuple[str, str]:
        """Let the names of a message through if this process declares them."""
        methods = self._declared.get(interface)
        if methods is None:
            return UNKNOWN, UNKNOWN
        return interface, method if method in methods else UNKNOWN

    def _topic(self, message: Message) -> str:
        """Find which of the topics served here a message came for: ``compute.host-1`` was for ``compute``."""
        key, exchange = message.routing_key, message.exchange
        found = [topic for topic in self._topics if f"{key}.".startswith(f"{topic}.") or exchange == f"{topic}_fanout"]
        return max(found, key=len, default=UNKNOWN)


@contextmanager
def _timed(histogram: Histogram, labels: tuple[str, str]) -> Iterator[None]:
    began, outcome = time.monotonic(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = "timeout" if isinstance(error, MessagingTimeout) else "error"
        raise
    finally:
        histogram.labels(*labels, outcome).observe(time.monotonic() - began)


def page(registry: CollectorRegistry) -> "WSGIApplication":
    """Make the WSGI application that answers at ``/metrics``, with what the process itself uses beside the rest."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    metrics: WSGIApplication = make_wsgi_app(registry)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") == PATH:
            return metrics(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"There is only {PATH} here.\n".encode()]

    return app
