"""How a service is observed: metrics for Prometheus, spans for OpenTelemetry, each only if the settings ask for it.

A Process has one Observation.  What is not configured is not imported, and only this module knows OpenTelemetry's SDK.
"""

from typing import TYPE_CHECKING, Any

from oslo_config.cfg import ConfigOpts

from mininova import __version__, errors
from mininova.rpc.watch.base import Watch

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from opentelemetry.sdk.trace import TracerProvider

    from mininova.rpc.watch.metrics import Metrics
    from mininova.rpc.watch.spans import Spans


EXPORT_TIMEOUT_S = 3.0  # for a batch of spans; a service that stops may wait so long for its last one


class Observation:
    """The metrics and spans of one service; neither for a tool, whose settings have no such groups.

    :param name: api, scheduler, conductor or compute
    :raises errors.ConfigError: when what is configured is not installed
    """

    def __init__(self, conf: ConfigOpts, name: str) -> None:
        self.metrics: Metrics | None = None
        self.spans: Spans | None = None
        self._provider: TracerProvider | None = None
        if "metrics" in conf and conf.metrics.port is not None:
            self.metrics = _metrics()
        if "tracing" in conf and conf.tracing.otlp_endpoint is not None:
            self._provider = _provider(name, conf.host, conf.tracing.otlp_endpoint)
            self.spans = _spans(self._provider)

    @property
    def watches(self) -> list[Watch]:
        """The watches for the service's Peer; none where nothing is observed."""
        return [watch for watch in (self.metrics, self.spans) if watch is not None]

    def page(self) -> "WSGIApplication | None":
        """Make the application that shows the metrics, if there are any."""
        if self.metrics is None:
            return None
        from mininova.rpc.watch.metrics import page

        return page(self.metrics.registry)

    def stop(self) -> None:
        """Send the spans that are left."""
        if self._provider is not None:
            self._provider.shutdown()


def _metrics() -> "Metrics":
    import prometheus_client

    from mininova.rpc.watch.metrics import Metrics

    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each
    return Metrics(prometheus_client.CollectorRegistry())


def _provider(name: str, host: str, endpoint: str) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        problem = f"[tracing] otlp_endpoint needs OpenTelemetry, which `pip install mininova[otel]` brings: {error}"
        raise errors.ConfigError(problem=problem) from None
    about: dict[str, Any] = {"service.name": f"mininova-{name}", "service.version": __version__, "host.name": host}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=EXPORT_TIMEOUT_S)))
    return provider


def _spans(provider: "TracerProvider") -> "Spans":
    from mininova.rpc.watch.spans import Spans

    return Spans(provider.get_tracer("mininova", __version__))
