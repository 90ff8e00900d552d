"""The groups that one service or a few read, and the table of all groups: which service reads which.

``mininova.conf`` is shared by the services of a controller, so each of them accepts there what any other of
them reads.  ``mininova-compute.conf`` belongs to a compute node alone, and accepts what compute reads.
"""

from oslo_config import cfg

from mininova.conf import messaging, rest, scheduling
from mininova.conf.values import CONTROLLER, EVERYONE, SERVICES, DatabaseURL, Group, HostList, Network

COMPUTE = Group(
    "compute",
    "Which hosts a compute stands for, how far each may be overcommitted, and how much it does at a time.",
    SERVICES,
    [
        cfg.Opt(
            "hosts",
            type=HostList(),
            help="The hosts that this process stands for, if not [DEFAULT] host alone: names and ranges, such as edge, "
            "node-[0001-1000].  Then [DEFAULT] host is the name of the process and of its broker user: the NAME of "
            "`mininova-manage host add NAME --hosts`, which writes both.",
        ),
        cfg.FloatOpt("cpu_allocation_ratio", default=16.0, min=0.01, help="vCPUs to promise for each one there is."),
        cfg.FloatOpt(
            "ram_allocation_ratio", default=1.5, min=0.01, help="MiB of memory to promise for each one there is."
        ),
        cfg.FloatOpt(
            "disk_allocation_ratio", default=1.0, min=0.01, help="GiB of disk to promise for each one there is."
        ),
        cfg.StrOpt("default_availability_zone", default="nova", help="The availability zone of compute hosts."),
        cfg.IntOpt("max_concurrent_builds", default=10, min=1, help="How many builds a host works on at a time."),
        cfg.IntOpt(
            "consecutive_build_service_disable_threshold",
            default=10,
            min=0,
            help="Whether a host counts the builds that failed there since one ended well, for BuildFailureWeigher: 0 "
            "does not, and any other number does.  The name is Nova's; no host disables itself any more.",
        ),
        cfg.FloatOpt(
            "vif_plugging_timeout",
            default=0.0,
            min=0,
            help="How long a boot waits until the network service has told the Compute API, for each of its ports, "
            "that it is plugged (network-vif-plugged), in seconds.  0 does not wait, 300 is Nova's default.  The "
            "stand-in for Neutron tells it with [network] notify_nova_on_port_status_changes.",
        ),
        cfg.BoolOpt(
            "vif_plugging_is_fatal",
            default=True,
            help="Whether a boot that has waited in vain fails; else it goes on.",
        ),
        cfg.IntOpt(
            "reconcile_interval",
            default=60,
            min=1,
            help="The time between two looks of a host at whether its guests and its instances agree, in seconds.  A "
            "host looks also when it starts, when a broker that was away is back, and when it was taken for dead.",
        ),
    ],
)

OPERATIONS = Group(
    "operations",
    "How long an operation that was accepted may stand still, what was deleted may be restored, and what was shelved "
    "keeps its host.",
    frozenset({"api", "conductor"}),
    [
        cfg.IntOpt(
            "due_after",
            default=30,
            min=1,
            help="After how many seconds without a change a conductor takes an operation up again: its message may be "
            "lost.  Each further look at it waits twice as long, up to 20 times this.",
        ),
        cfg.IntOpt(
            "schedule_within",
            default=600,
            min=0,
            help="For how many seconds a build that was asked for waits while no scheduler answers; after that it "
            "fails.",
        ),
        cfg.IntOpt(
            "shelved_offload_time",
            default=0,
            min=-1,
            help="For how long a shelved instance keeps its host, in seconds; then its guest is removed, and its room "
            "is free.  0 removes it at once, -1 never.",
        ),
        cfg.IntOpt(
            "reclaim_instance_interval",
            default=0,
            min=0,
            help="For how long an instance that its owner deleted can be restored, in seconds: until then its guest is "
            "kept, stopped.  0 deletes at once.",
        ),
        cfg.IntOpt(
            "resize_confirm_window",
            default=0,
            min=0,
            help="After how many seconds an instance that was resized is confirmed without its owner.  0 leaves it to "
            "the owner.",
        ),
        cfg.BoolOpt(
            "allow_resize_to_same_host",
            default=False,
            help="Whether a resize may leave the instance on its host.",
        ),
    ],
)

NETWORK = Group(
    "network",
    "The one flat network that instances get their addresses from.",
    CONTROLLER,
    [
        cfg.StrOpt("label", default="flat", help="Its name, as a server's addresses show it."),
        cfg.Opt(
            "cidr",
            type=Network(),
            default="10.0.0.0/16",
            help="Its IPv4 range.  The first address is the gateway's; instances get the others.",
        ),
        cfg.BoolOpt(
            "notify_nova_on_port_status_changes",
            default=False,
            help="Whether the stand-in for Neutron tells the Compute API, as the account in [keystone_authtoken], when "
            "a port of a server is on its host, or is taken from it (network-vif-plugged, network-vif-unplugged).  "
            "Computes with [compute] vif_plugging_timeout wait for that.",
        ),
        cfg.BoolOpt(
            "notify_nova_on_port_data_changes",
            default=False,
            help="Whether it tells, too, when the addresses of such a port change, or the port is deleted "
            "(network-changed, network-vif-deleted).",
        ),
    ],
)

DATABASE = Group(
    "database",
    "Where the database is.  Never put this section on a compute node.",
    CONTROLLER,
    [
        cfg.Opt(
            "connection",
            type=DatabaseURL(),
            default="sqlite:///$state_path/mininova.sqlite",
            secret=True,
            help="The database: sqlite:////FILE, mysql+pymysql://USER:PASSWORD@HOST/NAME (MySQL, MariaDB) or "
            "postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
        ),
        cfg.FloatOpt(
            "connect_retry",
            default=60.0,
            min=0,
            help="How long to try to reach a lost database again, in seconds, before the work at hand fails.",
        ),
        cfg.FloatOpt(
            "answer_timeout",
            default=60.0,
            min=2,
            help="How long a database server may be silent over a statement, which may wait for a lock, before the "
            "connection is given up; and how long the server waits for the next one of a transaction.  In seconds.",
        ),
    ],
)

BROKER_ADMIN = Group(
    "broker_admin",
    "How mininova-manage makes and removes the broker users of compute nodes, and a conductor renews their passwords.",
    frozenset({"manage", "conductor"}),
    [
        cfg.StrOpt(
            "command",
            default="rabbitmqctl",
            help="The command that administers the broker, with the options that it always needs, such as "
            "sudo -u rabbitmq rabbitmqctl --node rabbit@broker-1.",
        ),
        cfg.IntOpt("timeout", default=60, min=1, help="How long the command may take, in seconds."),
        cfg.IntOpt(
            "watch_interval",
            default=30,
            min=1,
            help="How often `mininova-manage broker watch` looks at what the broker holds for computes, in seconds.  A "
            "look takes half a second of one CPU.",
        ),
        cfg.BoolOpt(
            "plain_passwords",
            default=False,
            help="Whether the command is given passwords beside their hashes, as Qpid's needs, and never RabbitMQ's.",
        ),
        cfg.StrOpt(
            "definitions_file",
            help="The file that the broker loads when it boots (load_definitions).  mininova-manage writes there, too, "
            "what it makes and removes, so that it is there again after the broker lost its disk.",
        ),
    ],
)

FAKE = Group(
    "fake",
    "The machine that the fake hypervisor pretends to be, and how it behaves.",
    frozenset({"compute"}),
    [
        cfg.IntOpt("vcpus", default=8, min=1, help="How many CPUs it has."),
        cfg.IntOpt("memory_mb", default=16384, min=1, help="Its memory, in MiB."),
        cfg.IntOpt("local_gb", default=200, min=0, help="Its disk, in GiB."),
        cfg.StrOpt(
            "behaviour",
            help="A YAML file with delays and failures of each operation.  It may be changed while the service runs.  "
            "Without it every operation works at once.",
        ),
        cfg.StrOpt(
            "state_dir",
            default="$state_path/guests",
            help="The folder that remembers the guests, so that they survive a restart of the service.",
        ),
    ],
)

VNC = Group(
    "vnc",
    "Graphical consoles of guests: of a fake guest, a screen of text that a VNC client shows.",
    frozenset({"compute", "consoleproxy"}),
    [
        cfg.BoolOpt("enabled", default=False, help="Whether the guests of this host have one."),
        cfg.HostAddressOpt(
            "server_listen", default="127.0.0.1", help="The address on which the host listens for the console proxy."
        ),
        cfg.HostAddressOpt(
            "server_proxyclient_address",
            default="127.0.0.1",
            help="The address of this host, as the console proxy knows it.",
        ),
        cfg.URIOpt(
            "novncproxy_base_url",
            schemes=["http", "https"],
            default="http://127.0.0.1:6080/vnc_auto.html",
            help="The URL of the console proxy's page, as users' browsers reach it.",
        ),
        cfg.HostAddressOpt(
            "novncproxy_host", default="127.0.0.1", help="The address on which mininova-consoleproxy listens."
        ),
        cfg.PortOpt("novncproxy_port", default=6080, help="The TCP port on which mininova-consoleproxy listens."),
    ],
)

SERIAL_CONSOLE = Group(
    "serial_console",
    "Serial consoles of guests: what a guest writes, and what is typed there, through a websocket.",
    frozenset({"compute", "consoleproxy"}),
    [
        cfg.BoolOpt("enabled", default=False, help="Whether the guests of this host have one."),
        cfg.HostAddressOpt(
            "proxyclient_address",
            default="127.0.0.1",
            help="The address on which this host listens for the console proxy, as the proxy knows it.",
        ),
        cfg.URIOpt(
            "base_url",
            schemes=["ws", "wss"],
            default="ws://127.0.0.1:6083/",
            help="The URL of the console proxy's websocket, as users' clients reach it.",
        ),
        cfg.HostAddressOpt(
            "serialproxy_host", default="127.0.0.1", help="The address on which mininova-consoleproxy listens."
        ),
        cfg.PortOpt("serialproxy_port", default=6083, help="The TCP port on which mininova-consoleproxy listens."),
    ],
)

CONSOLEAUTH = Group(
    "consoleauth",
    "The tokens that open consoles.",
    frozenset({"api"}),
    [cfg.IntOpt("token_ttl", default=600, min=1, help="For how many seconds a token opens its console.")],
)

GROUPS = (
    messaging.DEFAULT,
    messaging.FLOW,
    messaging.BROKER,
    messaging.IDENTITIES,
    messaging.METRICS,
    messaging.TRACING,
    messaging.LOSSES,
    messaging.UPGRADE_LEVELS,
    messaging.NOTIFICATIONS,
    messaging.NOTIFICATION_WAYS,
    COMPUTE,
    OPERATIONS,
    NETWORK,
    DATABASE,
    BROKER_ADMIN,
    rest.API,
    rest.NEUTRON,
    rest.QUOTA,
    rest.CORS,
    rest.OSLO_MIDDLEWARE,
    rest.HEALTHCHECK,
    rest.OSLO_POLICY,
    rest.IDENTITY,
    rest.IMAGE,
    rest.CONTROL,
    rest.KEYSTONE_AUTHTOKEN,
    scheduling.SCHEDULER,
    scheduling.FILTER_SCHEDULER,
    FAKE,
    VNC,
    SERIAL_CONSOLE,
    CONSOLEAUTH,
)

REFUSED = {
    ("compute", "database"): "a compute node reaches the database only through the conductor, and must not hold its "
    "credentials.  Remove the section, or give this service a file of its own with --config-file",
}


def of(service: str) -> list[Group]:
    """Give the groups that a service reads, in the order in which samples and help show them."""
    return [group for group in GROUPS if service in group.readers]


def accepted_by(service: str) -> dict[str, Group]:
    """Give the sections that a file for this service may have: its own, and those of the services that share it."""
    sharing = CONTROLLER if service in CONTROLLER else EVERYONE if service == "flow" else {service}
    return {group.name: group for group in GROUPS if group.readers & sharing}


def known() -> dict[str, Group]:
    """Give every section there is."""
    return {group.name: group for group in GROUPS}


# ---- for the field's generator, which finds both as entry points: oslo-config-generator --namespace mininova


def for_controllers() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Give what mininova.conf may have: the namespace ``mininova``."""
    return _for_generator([group for group in GROUPS if group.readers & CONTROLLER])


def for_computes() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Give what mininova-compute.conf may have: the namespace ``mininova.compute``."""
    return _for_generator(of("compute"))


def _for_generator(groups: list[Group]) -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(cfg.OptGroup(group.name, help=group.help), group.options) for group in groups if group.is_ours]
