"""[tracing]: where a service sends its spans."""

from oslo_config import cfg

GROUP = cfg.OptGroup("tracing", help="Where a service sends its OpenTelemetry spans.")

OPTIONS: list[cfg.Opt] = [
    cfg.URIOpt(
        "otlp_endpoint",
        schemes=["http", "https"],
        help="The collector that takes spans in OTLP over HTTP: http://127.0.0.1:4318/v1/traces, for one.  Without it "
        "there are none, and a client's traceparent is passed on all the same.",
    ),
]
