"""[broker_admin]: how mininova-manage looks after the broker's users."""

from oslo_config import cfg

GROUP = cfg.OptGroup("broker_admin", help="How mininova-manage makes and removes the broker users of compute nodes.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "command",
        default="rabbitmqctl",
        help="The command that administers the broker, with the options that it always needs, such as "
        "sudo -u rabbitmq rabbitmqctl --node rabbit@broker-1.",
    ),
    cfg.IntOpt("timeout", default=60, min=1, help="How long it may take, in seconds."),
]
