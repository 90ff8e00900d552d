"""A trace crosses the broker: what a handler sends belongs to the trace of the message that it handles."""

import queue

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from mininova import rpc
from mininova.rpc.watch import tracing
from mininova.rpc.watch.spans import Spans
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp, broken

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}


@pytest.fixture
def traces() -> "queue.Queue[tracing.Trace | None]":
    """Give a queue where handlers put their trace."""
    return queue.Queue()


@pytest.fixture
def keeper(traces: "queue.Queue[tracing.Trace | None]") -> Keeper:
    """Give a keeper that does so."""

    def look(*args: object) -> None:
        traces.put(tracing.current())

    return Keeper(switch=look, dim=look, get=lambda name: look() or Lamp(name))


@pytest.mark.parametrize(("method", "argument"), [("get", "desk"), ("switch", Lamp("desk")), ("dim", 20)])
def test_a_trace_travels_with_each_kind_of_message(bench: Bench, traces, keeper: Keeper, method, argument):
    """Each kind keeps the trace id, the flag and the state; the parent id is the message's own."""
    bench.serve(keeper)

    with tracing.continuing(HEADERS):
        getattr(bench.client(), method)(CTXT, argument)
    arrived = bench.next(traces)

    assert (arrived.trace_id, arrived.sampled, arrived.state) == (TRACE, True, HEADERS["tracestate"])
    assert arrived.parent_id not in HEADERS["traceparent"]


def test_a_handler_hands_its_trace_on(bench: Bench, traces, keeper: Keeper):
    """The trace goes over two hops, by a handler that knows nothing of it."""
    bench.serve(keeper, "inner")
    ask = bench.client(bench.peer("lamp.outer")).on("inner")
    bench.serve(Keeper(switch=lambda lamp, colour: ask.get(CTXT, lamp.name)), "outer")

    with tracing.continuing(HEADERS):
        bench.client().on("outer").switch(CTXT, Lamp("desk"))

    assert bench.next(traces).trace_id == TRACE


def test_a_message_without_a_trace_brings_none(bench: Bench, traces, keeper: Keeper):
    """A message without a trace has none, also after one that had."""
    bench.serve(keeper)
    client = bench.client()

    with tracing.continuing(HEADERS):
        client.switch(CTXT, Lamp("desk"))
    assert bench.next(traces) is not None
    client.switch(CTXT, Lamp("hall"))

    assert bench.next(traces) is None


def test_headers_that_are_no_trace_are_ignored(bench: Bench, traces, keeper: Keeper):
    """A sender may put anything into the headers: the message is handled all the same."""
    bench.serve(keeper)
    body = bench.payload("switch", {"lamp": {"name": "desk"}}, version="1.0")

    bench.request(bench.peer(), body, headers={"traceparent": "00-" + "0" * 32 + "-ä-01", "tracestate": "x" * 9999})

    assert bench.next(traces) is None


def test_a_cast_that_is_tried_again_stays_in_its_trace(bench: Bench, traces, keeper: Keeper):
    """The second try has the trace of the first."""
    tries = iter([broken, lambda: None])
    look = keeper.does["switch"]
    keeper.does["switch"] = lambda *args: (look(), next(tries)())
    bench.serve(keeper)

    with tracing.continuing(HEADERS):
        bench.client().switch(CTXT, Lamp("desk"))

    assert [bench.next(traces).trace_id for _ in range(2)] == [TRACE] * 2


class Finished(SpanExporter):
    """Passes each span that has ended to the test."""

    def __init__(self) -> None:
        self.spans: queue.Queue[object] = queue.Queue()

    def export(self, spans):
        """See SpanExporter."""
        for span in spans:
            self.spans.put(span)
        return SpanExportResult.SUCCESS


def test_spans_of_two_processes_hang_together(bench: Bench):
    """With OpenTelemetry, a handler's span is the child of the span in which its message was sent."""
    exporters = Finished(), Finished()
    watches = [Spans(provider_of(exporter).get_tracer("tests")) for exporter in exporters]
    here, there = (bench.peer(name, watch=watch) for name, watch in zip(("client", "lamp.a"), watches, strict=True))
    notifier = rpc.Notifier(there, "lamp.a", topic=f"told-{bench.mark}")
    bench.serve(Keeper(get=lambda name: notifier.info(CTXT, "lamp.seen", {}) or Lamp(name)), peer=there)

    bench.client(here).get(CTXT, "desk")

    told, handler = (bench.next(exporters[1].spans) for _ in range(2))
    client = bench.next(exporters[0].spans)
    assert [span.kind for span in (client, handler, told)] == [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER]
    assert client.parent is None
    assert handler.parent.span_id == client.context.span_id
    assert told.parent.span_id == handler.context.span_id
    assert len({span.context.trace_id for span in (client, handler, told)}) == 1


def provider_of(exporter: SpanExporter) -> TracerProvider:
    """Make one process's OpenTelemetry."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider
