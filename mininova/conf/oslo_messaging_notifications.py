"""[oslo_messaging_notifications]: where notifications go; the section and the names are oslo.messaging's."""

from oslo_config import cfg, types

GROUP = cfg.OptGroup("oslo_messaging_notifications", help="Where notifications go.")

DRIVERS = {
    "messaging": "to the broker, for whoever listens",
    "messagingv2": "the same: there is one format, oslo.messaging's 2.0",
    "routing": "to the drivers that routing_config chooses",
    "log": "to the log, as JSON",
    "noop": "nowhere",
    "test": "kept in memory, which only a test can want",
}

OPTIONS: list[cfg.Opt] = [
    cfg.MultiOpt(
        "driver",
        item_type=types.String(choices=list(DRIVERS.items())),
        help="A way for notifications to go.  The line may be repeated for several ways.",
    ),
    cfg.ListOpt(
        "topics",
        default=["notifications"],
        help="What the queues are called that notifications are sent to, before the dot and the priority: each "
        "notification goes to all of these.",
    ),
    cfg.StrOpt(
        "routing_config",
        help="The YAML file with the rules of the driver routing: rule, driver, and its lists accepted_events, "
        "rejected_events and accepted_priorities.",
    ),
]

cfg.set_defaults(OPTIONS, driver=["messaging"])  # given above it would be held to be one value, and refused
