"""[metrics]: where a service shows its metrics to Prometheus."""

from oslo_config import cfg

GROUP = cfg.OptGroup("metrics", help="Where a service shows its counters and latencies to Prometheus.")

OPTIONS: list[cfg.Opt] = [
    cfg.PortOpt(
        "port",
        min=1,
        help="The TCP port that answers GET /metrics; without one there are no metrics.  Services of one machine need "
        "one each: those that share a file get theirs from a second --config-file.",
    ),
    cfg.HostAddressOpt(
        "listen",
        default="127.0.0.1",
        help="The address to listen on; nobody is asked for a password there, so think before you make it another.",
    ),
]
