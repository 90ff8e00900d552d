"""Metrics and spans of a service, as its settings say."""

import gzip
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mininova import conf, errors
from mininova.service.observe import Observation

ENDPOINT = {"tracing.otlp_endpoint": "http://127.0.0.1:9/v1/traces"}


@pytest.mark.parametrize("service", ["api", "scheduler", "conductor", "compute", "manage", "flow"])
def test_nothing_is_watched_by_default(service):
    """A service counts, traces or listens only if a setting says so; the tools never do."""
    observation = Observation(conf.for_tests(service), service)

    assert (observation.watches, observation.page(), observation.spans) == ([], None, None)
    observation.stop()


def test_unused_libraries_are_not_imported():
    """A service that uses neither library does not import them."""
    program = (
        "import sys\n"
        "from mininova import conf, rpc\nfrom mininova.service import observe\n"
        "observe.Observation(conf.for_tests('compute'), 'compute')\n"
        "print([name for name in sys.modules if name.startswith(('prometheus_client', 'opentelemetry', 'webob'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_port_switches_metrics_on():
    """The service serves a page, and its peer has a watch that counts."""
    observation = Observation(conf.for_tests("compute", **{"metrics.port": 9200}), "compute")

    assert observation.watches == [observation.metrics]
    assert observation.page() is not None
    assert observation.spans is None


def test_an_endpoint_switches_spans_on():
    """With both, the peer has one watch."""
    settings = conf.for_tests("compute", **ENDPOINT, **{"metrics.port": 9200})
    observation = Observation(settings, "compute")

    assert observation.spans is not None
    assert observation.watches == [observation.metrics, observation.spans]
    observation.stop()


class Collector(BaseHTTPRequestHandler):
    """Receives spans as an OpenTelemetry collector does."""

    received: "queue.Queue[ExportTraceServiceRequest]" = queue.Queue()

    def do_POST(self):
        """Receive one batch."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.received.put(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        """Write no log."""


def test_spans_reach_their_collector():
    """A service that stops has sent its spans, with its name."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
        observation = Observation(conf.for_tests("api", host="ctl-1", **{"tracing.otlp_endpoint": endpoint}), "api")
        with observation.spans.answering({}, "POST", "/servers") as answered:
            answered(202)

        observation.stop()
        server.shutdown()

    (resource,) = Collector.received.get(timeout=20).resource_spans
    about = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert (about["service.name"], about["host.name"]) == ("mininova-api", "ctl-1")
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["POST"]


def test_spans_without_opentelemetry_are_refused(monkeypatch):
    """The error has the setting, and the missing package."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(errors.ConfigError, match=r"\[tracing\] otlp_endpoint needs OpenTelemetry.*mininova\[otel\]"):
        Observation(conf.for_tests("compute", **ENDPOINT), "compute")
