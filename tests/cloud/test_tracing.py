"""One boot is one trace, from the HTTP request to the last notification."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from mininova import rpc
from mininova.rpc.watch import tracing
from mininova.rpc.watch.spans import Spans
from tests.fixtures.cloud import Cloud

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SENDS = (SpanKind.CLIENT, SpanKind.PRODUCER)


@pytest.fixture
def finished(make_cloud) -> list[ReadableSpan]:
    """Boot a server in a cloud whose services make spans; give the spans, the earliest first."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    cloud: Cloud = make_cloud(spans=Spans(provider.get_tracer("tests")))
    cloud.login()
    exporter.clear()
    cloud.boot()
    cloud.run()
    return sorted(exporter.get_finished_spans(), key=lambda span: span.start_time or 0)


def test_a_boot_is_one_trace(finished):
    """Every span of it belongs to the trace of the HTTP request, which is the only one without a parent."""
    (root,) = (span for span in finished if span.parent is None)

    assert (root.name, root.attributes["http.response.status_code"]) == ("POST", 202)
    assert {span.context.trace_id for span in finished} == {root.context.trace_id}


def test_spans_nest_as_the_messages_do(finished):
    """A handler's span is the child of its message's, and a message's that of the handler that sent it."""
    spans = {span.context.span_id: span for span in finished}
    sent = {span.attributes["messaging.message.id"]: span for span in finished if span.kind in SENDS}
    handled = [span for span in finished if span.parent and span.kind not in SENDS]

    assert handled
    for span in handled:
        assert spans[span.parent.span_id] is sent[span.attributes["messaging.message.id"]]
    asked_by = {
        (span.name, spans[span.parent.span_id].name.removeprefix("conductor/").removeprefix("compute/"))
        for span in sent.values()
    }
    assert asked_by >= {
        ("conductor/build_instances", "POST"),
        ("scheduler/select_destinations", "build_instances"),
        ("compute/build_instance", "build_instances"),
        ("conductor/update_instance", "build_instance"),
        ("notifications/compute.instance.create.end", "build_instance"),
    }


def test_a_clients_trace_goes_through_the_cloud(cloud: Cloud):
    """Without OpenTelemetry, too, every message of a boot carries the trace id of the HTTP request."""
    carried, deliver = [], cloud.broker.route
    cloud.broker.route = lambda message, kind: carried.append(message) or deliver(message, kind)
    token = {"X-Auth-Token": cloud.login(), "OpenStack-API-Version": "compute 2.96"}
    headers = {**token, "traceparent": TRACEPARENT, "tracestate": "a=1"}
    carried.clear()
    server = {"name": "one", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}

    cloud.app.post("/compute/v2.1/servers", json={"server": server}, headers=headers)
    cloud.app.get("/compute/v2.1/servers", headers=token)
    cloud.run()

    traces = [tracing.read(message.headers) for message in carried if not message.exchange.endswith(".reply")]
    assert len(traces) > 6
    assert {(trace.trace_id, trace.sampled, trace.state) for trace in traces} == {(TRACEPARENT[3:35], True, "a=1")}
    assert len({trace.parent_id for trace in traces}) == len(traces)
    assert tracing.current() is None


def test_without_a_trace_no_message_has_one(cloud: Cloud):
    """The messages of a request without a trace have no trace headers."""
    carried: list[rpc.transport.Message] = []
    deliver = cloud.broker.route
    cloud.broker.route = lambda message, kind: carried.append(message) or deliver(message, kind)
    cloud.boot(networks="none")
    cloud.run()

    assert {tracing.TRACEPARENT in message.headers for message in carried} == {False}
