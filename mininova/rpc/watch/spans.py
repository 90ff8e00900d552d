"""OpenTelemetry spans of what a process sends and handles, linked from process to process by ``traceparent``.

The only module of the library that knows OpenTelemetry, and of that only the API; the application imports it where
tracing is wanted, and hands it a tracer of the SDK.  A Spans is the Watch of a Peer.

Source: https://opentelemetry.io/docs/specs/semconv/: messaging/rabbitmq, rpc/rpc-spans, http/http-spans
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from msgspec.structs import replace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    get_current_span,
    set_span_in_context,
    use_span,
)

from mininova.rpc.envelope import Request
from mininova.rpc.interface import CALL
from mininova.rpc.transports.base import Message
from mininova.rpc.watch import tracing
from mininova.rpc.watch.base import Watch
from mininova.rpc.watch.tracing import Trace

RPC_SYSTEM = "oslo.messaging"  # the protocol on the wire
_HTTP_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Spans(Watch):
    """Begin a span for each message sent and for each one handled.

    :param tracer: of OpenTelemetry's SDK; its provider decides what is kept
    :param messaging_system: what carries the messages, as OpenTelemetry names it
    """

    def __init__(self, tracer: Tracer, *, messaging_system: str = "rabbitmq") -> None:
        self._tracer, self._messaging_system = tracer, messaging_system

    # ---- the hooks of a Watch

    @contextmanager
    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> Iterator[Message]:
        """Send a message in a span of its own, which is the parent of its handler's."""
        kind = SpanKind.CLIENT if pattern == CALL else SpanKind.PRODUCER
        attributes = self._attributes("send", topic, message, request)
        with self._span(f"{topic}/{request.method}", kind, attributes, _here()) as span:
            trace = _trace_of(span)
            yield message if trace is None else replace(message, headers={**message.headers, **trace.headers()})

    @contextmanager
    def handling(self, topic: str, message: Message, request: Request) -> Iterator[None]:
        """Handle a message in a span whose parent is its sender's."""
        kind = SpanKind.SERVER if request.msg_id else SpanKind.CONSUMER
        attributes = self._attributes("process", topic, message, request)
        with self._span(f"{topic}/{request.method}", kind, attributes, _context_of(tracing.read(message.headers))):
            yield

    # ---- for the application

    @contextmanager
    def answering(self, headers: Mapping[str, str], method: str, path: str) -> Iterator[Callable[[int], None]]:
        """Answer an HTTP request in a span; what is given takes the status of the answer.

        :param headers: where its ``traceparent`` is, if it has one
        """
        known = method if method in _HTTP_METHODS else "HTTP"
        attributes = {"http.request.method": method if known == method else "_OTHER", "url.path": path}
        with self._span(known, SpanKind.SERVER, attributes, _context_of(tracing.read(headers))) as span:

            def answered(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(StatusCode.ERROR)

            yield answered

    # ---- one span

    @contextmanager
    def _span(self, name: str, kind: SpanKind, attributes: Mapping[str, str | int], parent: Context) -> Iterator[Span]:
        """Run a block in a span, which OpenTelemetry and ``tracing.current`` both know of."""
        span = self._tracer.start_span(name, parent, kind, attributes)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False), tracing.within(_trace_of(span)):
                yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise
        finally:
            span.end()

    def _attributes(self, operation: str, topic: str, message: Message, request: Request) -> dict[str, str | int]:
        return {
            "messaging.system": self._messaging_system,
            "messaging.operation.type": operation,
            "messaging.destination.name": ":".join(filter(None, (message.exchange, message.routing_key))),
            "messaging.message.id": message.message_id,
            "messaging.message.body.size": len(message.body),
            "rpc.system": RPC_SYSTEM,
            "rpc.service": request.namespace or topic,
            "rpc.method": request.method,
        }


def _here() -> Context:
    """Give the context of the work in hand: that of the span the application is in, or of a trace passed through."""
    return get_current() if get_current_span().get_span_context().is_valid else _context_of(tracing.current())


def _context_of(parent: Trace | None) -> Context:
    """Make OpenTelemetry's context of a place in a trace; an empty one begins a trace of its own."""
    if parent is None:
        return Context()
    found = SpanContext(
        trace_id=int(parent.trace_id, 16),
        span_id=int(parent.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT),
        trace_state=TraceState.from_header([parent.state]),
    )
    return set_span_in_context(NonRecordingSpan(found), Context())


def _trace_of(span: Span) -> Trace | None:
    """Give a span's place in its trace; None for one that an API without its SDK made up."""
    found = span.get_span_context()
    if not found.is_valid:
        return None
    return Trace(
        trace_id=f"{found.trace_id:032x}",
        parent_id=f"{found.span_id:016x}",
        sampled=found.trace_flags.sampled,
        state=found.trace_state.to_header(),
    )
