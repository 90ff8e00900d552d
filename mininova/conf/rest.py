"""The groups that the REST APIs read: where they listen, what a project may have, and what the stand-ins keep.

groups.py has the table of all groups.
"""

from collections.abc import Sequence

from oslo_config import cfg

from mininova.conf.values import Group

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
        cfg.BoolOpt(
            "metadata_by_address",
            default=False,
            help="Whether the metadata service believes that a request comes from the instance that has its address: "
            "only where no one else can send from the addresses of instances.",
        ),
        cfg.StrOpt(
            "dhcp_domain", default="novalocal", help="What completes the host name that a guest is told; may be empty."
        ),
        cfg.StrOpt("vendordata_jsonfile_path", help="A JSON file that the metadata service shows to every guest."),
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

NEUTRON = Group(
    "neutron",
    "The metadata proxy that asks for guests, such as Neutron's metadata agent.",
    frozenset({"api"}),
    [
        cfg.BoolOpt(
            "service_metadata_proxy",
            default=False,
            help="Whether a proxy says which instance asks for metadata, in headers that it signs.",
        ),
        cfg.StrOpt(
            "metadata_proxy_shared_secret", default="", secret=True, help="What the proxy signs with, as it knows it."
        ),
    ],
)

# Three groups of oslo.middleware and one of oslo.policy, which only the api should load: it costs every start 150 ms.


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


def _oslo_policy() -> list[cfg.Opt]:
    from oslo_policy import opts

    return _options(opts.list_opts())


def _options(listed: Sequence[tuple[str, Sequence[cfg.Opt]]]) -> list[cfg.Opt]:
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

OSLO_POLICY = Group(
    "oslo_policy",
    "Who may do what: policy_file, and other options of oslo.policy.  What the file does not say is as the API has it.",
    frozenset({"api"}),
    _oslo_policy,
)

IDENTITY = Group(
    "identity",
    "The stand-in for Keystone: how its tokens are signed, how long they are valid, and what a password costs.",
    frozenset({"api", "manage"}),
    [
        cfg.StrOpt(
            "token_key_file",
            default="$state_path/token.key",
            help="The file with the key that signs tokens.  mininova-manage bootstrap makes it.  Keep it as secret as "
            "a password.",
        ),
        cfg.IntOpt("token_expiration", default=3600, min=1, help="How long a token is valid, in seconds."),
        cfg.IntOpt(
            "password_hash_memory",
            default=19 * 1024,
            min=16,
            help="How much memory the hash of a new password takes, in KiB: the more, the longer each guess takes, and "
            "each login.",
        ),
    ],
)

KEYSTONE_AUTHTOKEN = Group(
    "keystone_authtoken",
    "A real Keystone, where api-paste.ini names one (mininova/real): where it is, and our account there, which has the "
    "role admin in its project.",
    frozenset({"api", "conductor"}),
    [
        cfg.StrOpt("auth_url", default="http://127.0.0.1:5000/v3", help="Where we log in and have tokens checked."),
        cfg.StrOpt("www_authenticate_uri", help="Where users log in, if not there: an answer 401 names it."),
        cfg.StrOpt("username", default="nova", help="The name of our account."),
        cfg.StrOpt("password", default="", secret=True, help="Its password."),
        cfg.StrOpt("user_domain_name", default="Default", help="The domain of our account."),
        cfg.StrOpt("project_name", default="service", help="The project in which it has its role."),
        cfg.StrOpt("project_domain_name", default="Default", help="The domain of that project."),
        cfg.StrOpt("region_name", default="RegionOne", help="Which region of the catalog we look in."),
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

CONTROL = Group(
    "control",
    "The control API, with which people who test clients have requests fail.  Never on a cloud that people use.",
    frozenset({"api"}),
    [
        cfg.StrOpt(
            "token",
            secret=True,
            help="What a caller of /control sends as X-Control-Token.  Without it there is no control API.  "
            "mininova-cloud makes one.",
        ),
        cfg.StrOpt(
            "behaviour",
            help="The file by which the fake hypervisors go ([fake] behaviour of the computes), where it is on this "
            "machine: the control API shows and changes it.",
        ),
        cfg.StrOpt(
            "stack",
            help="The socket at which the local stack listens that started the services: it kills, pauses and cuts off "
            "services for the control API.  Without it that API does no such thing.",
        ),
    ],
)
