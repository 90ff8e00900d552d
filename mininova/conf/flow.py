"""[flow]: whether each message is reported, and where the collector keeps the reports."""

from oslo_config import cfg

GROUP = cfg.OptGroup("flow", help="The record of every message of a request, which mininova-flow shows.")

OPTIONS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enabled",
        default=False,
        help="Report each message that is sent, received, answered or refused to the exchange mininova.flow.  "
        "Turn it on for every service, or the picture has holes.",
    ),
    cfg.StrOpt(
        "directory",
        default="$state_path/flow",
        help="The folder in which mininova-flow collect keeps what it hears, one file for each request.",
    ),
    cfg.IntOpt("keep", default=1000, min=1, help="How many requests to keep; the oldest makes room for the newest."),
]
