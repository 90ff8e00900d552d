"""[DEFAULT]: who this process is, where the broker is, and how long to wait.  Every service reads it."""

import socket

from oslo_config import cfg

from mininova.conf.values import Period, TransportURL

GROUP = cfg.OptGroup("DEFAULT", help="Who this process is, where the broker is, and how long to wait.")

OPTIONS: list[cfg.Opt] = [
    cfg.HostnameOpt(
        "host",
        default=socket.gethostname(),
        sample_default="<the machine's host name>",
        help="The name of this host: its services register under it, and messages for it go to topics that end in it.",
    ),
    cfg.Opt(
        "transport_url",
        type=TransportURL(),
        default="amqp://guest:guest@127.0.0.1:5672/",
        secret=True,
        help="The broker: amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS.  An empty VHOST is the broker's "
        "default one, /.  Several brokers of a cluster: amqp://USER:PASSWORD@HOST1,USER:PASSWORD@HOST2/VHOST.",
    ),
    cfg.StrOpt("control_exchange", default="mininova", help="The topic exchange that calls and casts go through."),
    cfg.IntOpt(
        "rpc_response_timeout",
        default=60,
        min=1,
        help="How long a call waits for its answer, in seconds, when nothing shorter was asked for.",
    ),
    cfg.IntOpt("report_interval", default=10, min=1, help="The time between two heartbeats of a service, in seconds."),
    cfg.IntOpt(
        "service_down_time",
        default=60,
        min=1,
        help="The silence after which a service counts as down, in seconds: several times report_interval.",
    ),
    cfg.IntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        help="How long a stopping process lets work under way come to its end, in seconds; 0 does not wait.",
    ),
    cfg.BoolOpt(
        "instance_usage_audit",
        default=True,
        help="Emit compute.instance.exists for each instance when a period is over, for those who bill.",
    ),
    cfg.Opt(
        "instance_usage_audit_period",
        type=Period(),
        default="hour",
        help="The period: hour, day, month or year, in UTC; day@18 begins at 18:00, month@15 on the 15th.",
    ),
    cfg.BoolOpt("debug", default=False, help="Log what only somebody looking for a fault wants to read."),
    cfg.StrOpt("log_file", help="The file that log lines are appended to; without it they go to standard error."),
    cfg.StrOpt(
        "state_path",
        default="/var/lib/mininova",
        help="The folder for what a service keeps on disk; other settings can refer to it as $state_path.",
    ),
]
