"""The groups that every service reads: who it is, where its messages go, and what it shows of its work.

groups.py has those of one service or a few, and the table of all.
"""

import socket

from oslo_config import cfg

from mininova.conf.values import EVERYONE, SERVICES, Group, Level, Period, TransportURL
from mininova.service.releases import RELEASES

WATCHED = SERVICES - {"manage"}

DEFAULT = Group(
    "DEFAULT",
    "Who this process is, where the broker is, and how long to wait.",
    EVERYONE,
    [
        cfg.HostnameOpt(
            "host",
            default=socket.gethostname(),
            sample_default="<the machine's host name>",
            help="The name of this host.  Its services register under this name, and messages for it go to topics "
            "that end in it.",
        ),
        cfg.Opt(
            "transport_url",
            type=TransportURL(),
            default="amqp://guest:guest@127.0.0.1:5672/",
            secret=True,
            help="The broker: amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS.  An empty VHOST means the "
            "broker's default one, /.  For a cluster, name several brokers: "
            "amqp://USER:PASSWORD@HOST1,USER:PASSWORD@HOST2/VHOST.  With kombu+amqp:// messages go by plain kombu, and "
            "slower; kombu+redis:// and kombu+filesystem:///FOLDER keep fewer promises (docs/rpc/brokers.md).  "
            "mininova-cloud has memory://USER@BROKER, within its process.",
        ),
        cfg.StrOpt(
            "compute_driver",
            default="fake",
            help="The hypervisor driver of mininova-compute.  mininova has the fake one; a plug-in adds its own.",
        ),
        cfg.StrOpt("control_exchange", default="mininova", help="The topic exchange that calls and casts go through."),
        cfg.IntOpt(
            "rpc_response_timeout",
            default=60,
            min=1,
            help="How long a call waits for its answer, in seconds, when the caller asked for nothing shorter.",
        ),
        cfg.IntOpt(
            "report_interval", default=10, min=1, help="The time between two heartbeats of a service, in seconds."
        ),
        cfg.IntOpt(
            "service_down_time",
            default=60,
            min=1,
            help="How long a service may be silent before it counts as down, in seconds.  Set it to several times "
            "report_interval.",
        ),
        cfg.IntOpt(
            "graceful_shutdown_timeout",
            default=60,
            min=0,
            help="How long a stopping process waits for the work it has begun, in seconds.  0 does not wait.",
        ),
        cfg.BoolOpt(
            "instance_usage_audit",
            default=True,
            help="Emit compute.instance.exists for each instance at the end of each period, for billing.",
        ),
        cfg.Opt(
            "instance_usage_audit_period",
            type=Period(),
            default="hour",
            help="That period: hour, day, month or year, in UTC.  day@18 begins at 18:00, month@15 on the 15th.",
        ),
        cfg.BoolOpt("debug", default=False, help="Log also the details that help to find a fault."),
        cfg.StrOpt("log_file", help="The file to append log lines to.  Without it they go to standard error."),
        cfg.StrOpt(
            "state_path",
            default="/var/lib/mininova",
            help="The folder for what a service keeps on disk.  Other settings can refer to it as $state_path.",
        ),
    ],
)

FLOW = Group(
    "flow",
    "The record of every message of a request, which mininova-flow shows.",
    EVERYONE,
    [
        cfg.BoolOpt(
            "enabled",
            default=False,
            help="Report each message that is sent, received, answered or refused to the exchange mininova.flow.  "
            "Set it for every service, or some messages will be missing.",
        ),
        cfg.StrOpt(
            "directory",
            default="$state_path/flow",
            help="The folder in which mininova-flow collect keeps the reports, one file for each request and sender.",
        ),
        cfg.IntOpt(
            "keep",
            default=1000,
            min=1,
            help="How many requests to keep of those that an api announced, and how many others of each sender.  The "
            "oldest is removed for each new one.",
        ),
        cfg.StrOpt(
            "listen",
            default="127.0.0.1",
            help="The address at which mininova-flow serve shows the flow in a browser.  It asks for no password, so "
            "at another address than 127.0.0.1 the network has to keep others out.",
        ),
        cfg.PortOpt("port", default=8780, help="Its port.  0 takes a free one, which it prints."),
        cfg.StrOpt(
            "control",
            help="The control.json of the control API: with it, and with clouds, who has the token in it can boot "
            "servers from the page, and kill, pause and cut off services.",
        ),
        cfg.StrOpt("clouds", help="The clouds.yaml whose cloud mininova says as which user the page boots servers."),
    ],
)

# The names of the group and of its options are oslo.messaging's.
BROKER = Group(
    "oslo_messaging_rabbit",
    "How services talk to the broker.  Where it is: [DEFAULT] transport_url.",
    EVERYONE,
    [
        cfg.StrOpt(
            "ssl_ca_file",
            help="For amqps://, a PEM file with the authorities that may sign the broker's certificate.  Without it, "
            "those that the system trusts.  The certificate and its name are always verified.",
        ),
        cfg.StrOpt("ssl_cert_file", help="For amqps://, our own certificate in PEM, for a broker that asks for one."),
        cfg.StrOpt("ssl_key_file", help="The key of ssl_cert_file, if it is in a file of its own."),
        cfg.BoolOpt(
            "rabbit_quorum_queue",
            default=False,
            help="Make durable queues quorum queues, which survive the loss of one broker of a cluster of three or "
            "more.  All services need the same value.  A queue that exists keeps its kind until it is deleted.",
        ),
        cfg.IntOpt(
            "heartbeat_timeout_threshold",
            default=30,
            min=3,
            help="How long the broker may be silent before the connection counts as lost, in seconds.",
        ),
    ],
)

IDENTITIES = Group(
    "identities",
    "Whether the sender of a message, as the broker vouches for it, decides what it may ask.",
    EVERYONE,
    [
        cfg.BoolOpt(
            "enforce",
            default=True,
            help="Refuse what the sender's broker user may not ask.  False is for a broker on which all services "
            "share one user: then anyone with that user's password may ask anything of any service.",
        ),
        cfg.IntOpt(
            "credential_lifetime",
            default=0,
            min=0,
            help="After how many seconds a compute renews its password at the broker; 0 renews none.  The compute "
            "makes the new one up and keeps it in $state_path, and a conductor, which needs [broker_admin] for it, has "
            "the broker take it.  Computes and conductors are to have the same.",
        ),
    ],
)

METRICS = Group(
    "metrics",
    "Where a service shows its counters and latencies to Prometheus.",
    WATCHED,
    [
        cfg.PortOpt(
            "port",
            min=1,
            help="The TCP port that answers GET /metrics; without one there are no metrics.  Each service of a machine "
            "needs a port of its own: services that share a file get theirs from a second --config-file.",
        ),
        cfg.HostAddressOpt(
            "listen",
            default="127.0.0.1",
            help="The address to listen on.  The metrics are shown without a password, so think before you widen it.",
        ),
    ],
)

LOSSES = Group(
    "losses",
    "Messages that are lost on purpose, to see how the cloud copes.  Never on a cloud that people use.",
    frozenset({"api", "scheduler", "conductor", "compute"}),
    [
        cfg.StrOpt(
            "file",
            help="A YAML file that says which; it may be changed while the service runs.  Where it is set, the control "
            "API shows and changes it.  Without it no message is lost.",
        ),
    ],
)

TRACING = Group(
    "tracing",
    "Where a service sends its OpenTelemetry spans.",
    WATCHED,
    [
        cfg.URIOpt(
            "otlp_endpoint",
            schemes=["http", "https"],
            help="The collector that takes spans in OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces.  Without "
            "it a service makes no spans, but still passes a client's traceparent on.",
        ),
    ],
)


def _pin(interface: str) -> cfg.Opt:
    return cfg.Opt(
        interface,
        type=Level(),
        default="auto",
        help=f"The version to send to {interface}: auto, the newest that all its registered services understand; the "
        f"name of a release ({', '.join(RELEASES)}), which also sets the versions of the objects in messages; or a "
        "version, such as 1.0.",
    )


UPGRADE_LEVELS = Group(
    "upgrade_levels",
    "The interface versions to send while older services are still running.",
    EVERYONE,
    [_pin(interface) for interface in ("compute", "conductor", "scheduler")],
)

NOTIFICATIONS = Group(
    "notifications",
    "Which events are emitted.",
    EVERYONE,
    [
        cfg.StrOpt(
            "notify_on_state_change",
            default="vm_and_task_state",
            choices=[
                ("vm_state", "when the state of an instance has changed"),
                ("vm_and_task_state", "when that or the task under way has changed"),
                ("none", "never"),
            ],
            help="When to emit compute.instance.update.",
        ),
    ],
)

# The names of the group and of its options are oslo.messaging's.
NOTIFICATION_WAYS = Group(
    "oslo_messaging_notifications",
    "Where notifications go.",
    EVERYONE,
    [
        cfg.MultiStrOpt(
            "driver",
            default=["messaging"],
            sample_default="messaging",
            help="A way for notifications to go; the line may be repeated for several ways: messaging or messagingv2 "
            "(to the broker; there is one format, oslo.messaging's 2.0), log (to the log, as JSON), routing (to the "
            "drivers that routing_config chooses), noop (nowhere), test (kept in memory).  A plug-in adds its own.",
        ),
        cfg.ListOpt(
            "topics",
            default=["notifications"],
            help="The queues that notifications go to, by their names before the dot and the priority.  Each "
            "notification goes to all of them.",
        ),
        cfg.StrOpt(
            "routing_config",
            help="The YAML file with the rules of the driver routing: rule, driver, and its lists accepted_events, "
            "rejected_events and accepted_priorities.",
        ),
    ],
)
