"""Spans: one for each message sent and handled, and which is the parent of which."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode

from mininova import rpc
from mininova.rpc.watch import tracing
from mininova.rpc.watch.spans import Spans
from tests.fixtures.rpc_bench import CTXT, Keeper, Lamp, LampBroken, MemoryBench, broken

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Recorded:
    """A bench whose peers make spans."""

    def __init__(self, **how):
        self.bench, self.exporter = MemoryBench(), InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **how)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.spans = Spans(self.provider.get_tracer("tests"))

    def peer(self, name="client"):
        """Start a peer."""
        return self.bench.peer(name, watch=self.spans)

    def serve(self, keeper):
        """Start a server."""
        return self.bench.serve(keeper, peer=self.peer("lamp.a"))

    def finished(self):
        """Give the spans by kind and method."""
        return {(span.kind, span.name.partition("/")[2]): span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def recorded():
    """Give a bench that records."""
    return Recorded()


def test_a_call_is_a_client_and_a_server_span(recorded):
    """The server's span is the child of the client's, also in another process."""
    recorded.serve(Keeper())

    recorded.bench.client(recorded.peer()).get(CTXT, "desk")
    spans = recorded.finished()
    client, server = spans[SpanKind.CLIENT, "get"], spans[SpanKind.SERVER, "get"]

    assert client.parent is None
    assert server.parent.span_id == client.context.span_id
    assert server.context.trace_id == client.context.trace_id
    assert {client.status.status_code, server.status.status_code} == {StatusCode.UNSET}


def test_a_span_says_what_it_is_about(recorded):
    """Its attributes have OpenTelemetry's own names."""
    recorded.serve(Keeper())

    recorded.bench.client(recorded.peer()).get(CTXT, "desk")
    client = recorded.finished()[SpanKind.CLIENT, "get"]
    topic = recorded.bench.topic

    assert client.name == f"{topic}/get"
    told = dict(client.attributes)
    assert told.pop("messaging.message.body.size") > 0
    assert len(told.pop("messaging.message.id")) == 32
    assert told == {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "send",
        "messaging.destination.name": f"{recorded.bench.exchange}:{topic}",
        "rpc.system": "oslo.messaging",
        "rpc.service": topic,
        "rpc.method": "get",
    }


def test_a_cast_is_a_producer_and_a_consumer_span(recorded):
    """The producer's span ends when the broker has the cast; the handler's is its child all the same."""
    recorded.serve(Keeper())

    recorded.bench.client(recorded.peer()).switch(CTXT, Lamp("desk"))
    recorded.bench.deliver()
    spans = recorded.finished()

    producer, consumer = spans[SpanKind.PRODUCER, "switch"], spans[SpanKind.CONSUMER, "switch"]
    assert consumer.parent.span_id == producer.context.span_id
    assert consumer.attributes["messaging.operation.type"] == "process"


def test_the_messages_of_a_handler_are_children_of_its_span(recorded):
    """The spans of its calls, casts and notifications are children of the handler's span."""
    peer = recorded.peer("lamp.a")
    inner = recorded.bench.client(peer)
    notifier = rpc.Notifier(peer, "lamp.a")

    def work(lamp, colour):
        inner.get(CTXT, lamp.name)
        notifier.info(CTXT, "lamp.on", {})

    recorded.bench.serve(Keeper(switch=work), peer=peer)
    inner.switch(CTXT, Lamp("desk"))
    recorded.bench.deliver()
    spans = recorded.finished()

    handler = spans[SpanKind.CONSUMER, "switch"]
    assert spans[SpanKind.CLIENT, "get"].parent.span_id == handler.context.span_id
    assert spans[SpanKind.PRODUCER, "lamp.on"].parent.span_id == handler.context.span_id
    assert len({span.context.trace_id for span in spans.values()}) == 1


def test_an_error_is_a_spans_status(recorded):
    """Both spans have the class of the error and its sentence, and no traceback."""
    recorded.serve(Keeper(get=broken))

    with pytest.raises(LampBroken):
        recorded.bench.client(recorded.peer()).get(CTXT, "desk")
    spans = recorded.finished()

    for span in spans.values():
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "the filament is gone"
        assert span.attributes["error.type"] == "LampBroken"
        assert span.events == ()


def test_a_trace_that_was_begun_elsewhere_goes_on(recorded):
    """A span that came with a request is the parent of what is sent for it, and its tracestate is passed on."""
    recorded.serve(Keeper())

    with tracing.continuing({"traceparent": TRACEPARENT, "tracestate": "a=1"}):
        recorded.bench.client(recorded.peer()).get(CTXT, "desk")
    client = recorded.finished()[SpanKind.CLIENT, "get"]

    assert f"{client.context.trace_id:032x}" == TRACEPARENT[3:35]
    assert f"{client.parent.span_id:016x}" == TRACEPARENT[36:52]
    assert client.context.trace_state.to_header() == "a=1"


def test_a_span_of_the_applications_own_is_in_between(recorded):
    """The spans of messages are children of the span that the application or another library has open."""
    recorded.serve(Keeper())
    client = recorded.bench.client(recorded.peer())

    with recorded.provider.get_tracer("app").start_as_current_span("x/paint") as paint:
        client.get(CTXT, "desk")

    spans = recorded.finished()
    assert spans[SpanKind.CLIENT, "get"].parent.span_id == paint.get_span_context().span_id


def test_a_request_of_another_kind_can_be_a_span_too(recorded):
    """The span of an HTTP request is the parent of what follows from it."""
    recorded.serve(Keeper())
    client = recorded.bench.client(recorded.peer())

    with recorded.spans.answering({"traceparent": TRACEPARENT}, "POST", "/servers") as answered:
        client.get(CTXT, "desk")
        answered(503)
    spans = recorded.finished()

    post = spans[SpanKind.SERVER, ""]
    about = {"http.request.method": "POST", "url.path": "/servers", "http.response.status_code": 503}
    assert (post.name, dict(post.attributes), post.status.status_code) == ("POST", about, StatusCode.ERROR)
    assert f"{post.parent.span_id:016x}" == TRACEPARENT[36:52]
    assert spans[SpanKind.CLIENT, "get"].parent.span_id == post.context.span_id


def test_a_trace_that_is_not_sampled_goes_on_unsampled():
    """No span is kept, and the headers tell the next process the same."""
    recorded, flags = Recorded(sampler=ALWAYS_OFF), []
    recorded.serve(Keeper(get=lambda name: flags.append(tracing.current()) or Lamp(name)))

    recorded.bench.client(recorded.peer()).get(CTXT, "desk")

    assert recorded.finished() == {}
    assert flags[0].sampled is False


def test_without_the_sdk_nothing_is_made_up():
    """Without the SDK, OpenTelemetry's API gives spans that record nothing: no headers are sent for them."""
    bench, traces = MemoryBench(), []
    peer = bench.peer(watch=Spans(NoOpTracer()))
    bench.serve(Keeper(get=lambda name: traces.append(tracing.current()) or Lamp(name)), peer=peer)

    bench.client(peer).get(CTXT, "desk")

    assert traces == [None]
