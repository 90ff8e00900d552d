"""The groups that one service or a few read, and the table of all groups: which service reads which.

``mininova.conf`` is shared by the services of a controller, so each of them accepts there what any other of
them reads.  ``mininova-compute.conf`` belongs to a compute node alone, and accepts what compute reads.
"""

from collections.abc import Sequence

from oslo_config import cfg

from mininova.conf import messaging
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

API = Group(
    "api",
    "Where the REST API listens, and its limits.",
    frozenset({"api", "conductor", "manage"}),
    [
        cfg.HostAddressOpt(
            "listen", default="127.0.0.1", help="The address to listen on; 0.0.0.0 means every address of the machine."
        ),
        cfg.PortOpt("port", default=8774, help="The TCP port to listen on; 0 takes a free one."),
        cfg.StrOpt(
            "paste_config",
            help="The Paste Deploy file that says which applications answer, and through which filters.  Without it, "
            "/etc/mininova/api-paste.ini if that is there, else the file that comes with mininova.",
        ),
        cfg.URIOpt(
            "public_endpoint",
            schemes=["http", "https"],
            help="The URL under which users reach the API, such as http://cloud.example.org:8774: all links in "
            "answers, the catalog's too, begin with it.  Without it they begin with the address at which a request "
            "came in, http://ADDRESS:PORT, and never with the name that the client used.",
        ),
        cfg.IntOpt("max_limit", default=1000, min=1, help="The most items in one page of a list."),
        cfg.IntOpt("max_request_body_size", default=114688, min=1, help="The longest accepted request body, in bytes."),
        cfg.StrOpt(
            "default_schedule_zone",
            help="The availability zone for servers that ask for none.  Without it they may go to any zone.",
        ),
        cfg.StrOpt(
            "max_microversion",
            help="The newest microversion to speak, such as 2.90, for people who test clients against an older cloud.  "
            "Without it, the newest that mininova has.",
        ),
        cfg.IntOpt("password_length", default=12, min=1, help="The length of a generated adminPass, in characters."),
    ],
)


def _quota(name: str, default: int, help: str) -> cfg.IntOpt:
    return cfg.IntOpt(name, default=default, min=-1, help=help)


QUOTA = Group(
    "quota",
    "How much a project may have, where an administrator set no limit for it (openstack quota set): Nova's options and "
    "defaults.  -1 is no limit.",
    frozenset({"api"}),
    [
        _quota("instances", 10, "The most instances of a project."),
        _quota("cores", 20, "The most vCPUs of all instances of a project."),
        _quota("ram", 50 * 1024, "The most memory of all instances of a project, in MiB."),
        _quota("metadata_items", 128, "The most items of metadata of one instance."),
        _quota("injected_files", 5, "The most files that one request may inject."),
        _quota("injected_file_content_bytes", 10 * 1024, "The longest file to inject, in characters of base64."),
        _quota("injected_file_path_length", 255, "The longest path of a file to inject, in characters."),
        _quota("key_pairs", 100, "The most key pairs of a user."),
        _quota("server_groups", 10, "The most server groups of a project."),
        _quota("server_group_members", 10, "The most servers in one server group."),
    ],
)

# Three groups of oslo.middleware, which only the api should load: it costs every start 150 ms.


def _cors() -> list[cfg.Opt]:
    from oslo_middleware import cors, opts

    cors.set_defaults(
        allow_headers=[
            "X-Auth-Token",
            "OpenStack-API-Version",
            "X-OpenStack-Nova-API-Version",
            "X-OpenStack-Request-ID",
        ],
        expose_headers=["X-Subject-Token", "OpenStack-API-Version", "X-OpenStack-Request-ID", "X-Compute-Request-ID"],
        allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH"],
    )
    return _options(opts.list_opts_cors())


def _oslo_middleware() -> list[cfg.Opt]:
    from oslo_middleware import opts

    return _options(opts.list_opts_http_proxy_to_wsgi())


def _healthcheck() -> list[cfg.Opt]:
    from oslo_middleware import opts
    from oslo_middleware.healthcheck.opts import HEALTHCHECK_OPTS

    cfg.set_defaults(HEALTHCHECK_OPTS, backends=["mininova"])
    return _options(opts.list_opts_healthcheck())


def _options(listed: list[tuple[str, Sequence[cfg.Opt]]]) -> list[cfg.Opt]:
    return [option for _, options in listed for option in options]


CORS = Group(
    "cors",
    "Which web pages may use the API from a browser: allowed_origin, and other options of oslo.middleware.  Without an "
    "origin, none.",
    frozenset({"api"}),
    _cors,
)

OSLO_MIDDLEWARE = Group(
    "oslo_middleware",
    "enable_proxy_headers_parsing = true, an option of oslo.middleware, believes X-Forwarded-Proto and its like: only "
    "behind a proxy that sets them itself.",
    frozenset({"api"}),
    _oslo_middleware,
)

HEALTHCHECK = Group(
    "healthcheck",
    "What GET /healthcheck looks at and shows: backends, detailed, and other options of oslo.middleware.",
    frozenset({"api"}),
    _healthcheck,
)

IDENTITY = Group(
    "identity",
    "The stand-in for Keystone: how its tokens are signed, and how long they are valid.",
    frozenset({"api", "manage"}),
    [
        cfg.StrOpt(
            "token_key_file",
            default="$state_path/token.key",
            help="The file with the key that signs tokens.  mininova-manage bootstrap makes it.  Keep it as secret as "
            "a password.",
        ),
        cfg.IntOpt("token_expiration", default=3600, min=1, help="How long a token is valid, in seconds."),
    ],
)

IMAGE = Group(
    "image",
    "The stand-in for Glance: where the data of images is kept, and how much of it.",
    frozenset({"api", "conductor", "manage"}),
    [
        cfg.StrOpt("directory", default="$state_path/images", help="The folder that keeps the data of images."),
        cfg.IntOpt("max_size", default=1073741824, min=1, help="The most data that one image may have, in bytes."),
    ],
)

SCHEDULER = Group(
    "scheduler",
    "How often a build is tried, and among how many hosts.",
    frozenset({"scheduler", "conductor"}),
    [
        cfg.IntOpt(
            "max_attempts",
            default=3,
            min=1,
            help="How many hosts a build may be tried on, the first included, before the instance goes to ERROR.",
        ),
        cfg.IntOpt(
            "max_placement_results",
            default=200,
            min=1,
            help="Among how many hosts that pass all filters a request chooses.  When so many have passed, drawn from "
            "all over the cloud, the others are not looked at.  The more, the better the host and the longer it takes; "
            "to stack instances in a cloud of more hosts, raise it.",
        ),
    ],
)

FILTER_SCHEDULER = Group(
    "filter_scheduler",
    "Which hosts may be chosen, and which of them are better.",
    frozenset({"scheduler"}),
    [
        cfg.ListOpt(
            "enabled_filters",
            default=[
                "ComputeFilter",
                "AvailabilityZoneFilter",
                "RetryFilter",
                "ComputeCapabilitiesFilter",
                "RequiredTraitsFilter",
                "ImagePropertiesFilter",
                "RamFilter",
                "CoreFilter",
                "DiskFilter",
                "SameHostFilter",
                "DifferentHostFilter",
                "ServerGroupAntiAffinityFilter",
                "ServerGroupAffinityFilter",
            ],
            help="The filters that a host must pass, in the order in which they are asked.  A plug-in adds its own.",
        ),
        cfg.ListOpt(
            "enabled_weighers",
            default=[
                "RAMWeigher",
                "CPUWeigher",
                "DiskWeigher",
                "ServerGroupSoftAffinityWeigher",
                "ServerGroupSoftAntiAffinityWeigher",
            ],
            help="The weighers that say which of the hosts that passed is the best.  A plug-in adds its own.",
        ),
        cfg.IntOpt(
            "host_subset_size",
            default=1,
            min=1,
            help="From how many of the best hosts the one of an instance is drawn.  More than one spares schedulers "
            "that work at the same time from choosing the same host.",
        ),
        cfg.FloatOpt(
            "ram_weight_multiplier",
            default=1.0,
            help="How much free memory counts in favour of a host.  A positive number spreads instances, a negative "
            "one stacks them.",
        ),
        cfg.FloatOpt(
            "cpu_weight_multiplier",
            default=1.0,
            help="How much free vCPUs count in favour of a host.  A positive number spreads instances, a negative one "
            "stacks them.",
        ),
        cfg.FloatOpt(
            "disk_weight_multiplier",
            default=1.0,
            help="How much free disk counts in favour of a host.  A positive number spreads instances, a negative one "
            "stacks them.",
        ),
        cfg.FloatOpt(
            "io_ops_weight_multiplier",
            default=-1.0,
            help="How much it counts in favour of a host that instances are built, rebuilt, moved or made images of "
            "there; a negative number prefers hosts that have rest.",
        ),
        cfg.FloatOpt(
            "num_instances_weight_multiplier",
            default=0.0,
            help="How much it counts in favour of a host that it has many instances; a negative number spreads them.",
        ),
        cfg.FloatOpt(
            "hypervisor_version_weight_multiplier",
            default=1.0,
            help="How much a newer hypervisor counts in favour of a host.",
        ),
        cfg.IntOpt(
            "max_instances_per_host", default=50, min=1, help="The most instances of a host, for NumInstancesFilter."
        ),
        cfg.IntOpt(
            "max_io_ops_per_host",
            default=8,
            min=0,
            help="The most instances of a host that are built, rebuilt, moved or made images of, for IoOpsFilter.",
        ),
        cfg.ListOpt("isolated_images", default=[], help="The images, by id, that IsolatedHostsFilter keeps apart."),
        cfg.ListOpt("isolated_hosts", default=[], help="The hosts to which it keeps them."),
        cfg.BoolOpt(
            "restrict_isolated_hosts_to_isolated_images",
            default=True,
            help="Whether it lets no other images go to these hosts.",
        ),
        cfg.StrOpt(
            "aggregate_image_properties_isolation_namespace",
            help="With what the keys begin that AggregateImagePropertiesIsolation looks at.  Without it, at all.",
        ),
        cfg.StrOpt(
            "aggregate_image_properties_isolation_separator",
            default=".",
            help="What stands between that namespace and the rest of a key.",
        ),
        cfg.FloatOpt(
            "soft_affinity_weight_multiplier",
            default=1.0,
            min=0,
            help="How much it counts for a host that it has members of the instance's server group, if the group's "
            "policy is soft-affinity.  With more than the other multipliers together, nothing else counts before it.",
        ),
        cfg.FloatOpt(
            "soft_anti_affinity_weight_multiplier",
            default=1.0,
            min=0,
            help="How much it counts for a host that it has no members of the instance's server group, if the group's "
            "policy is soft-anti-affinity.  With more than the other multipliers together, nothing else counts before "
            "it.",
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

GROUPS = (
    messaging.DEFAULT,
    messaging.FLOW,
    messaging.BROKER,
    messaging.IDENTITIES,
    messaging.METRICS,
    messaging.TRACING,
    messaging.UPGRADE_LEVELS,
    messaging.NOTIFICATIONS,
    messaging.NOTIFICATION_WAYS,
    COMPUTE,
    OPERATIONS,
    NETWORK,
    DATABASE,
    BROKER_ADMIN,
    API,
    QUOTA,
    CORS,
    OSLO_MIDDLEWARE,
    HEALTHCHECK,
    IDENTITY,
    IMAGE,
    SCHEDULER,
    FILTER_SCHEDULER,
    FAKE,
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
