"""[api]: where the REST API listens, and what it lets through."""

from oslo_config import cfg

GROUP = cfg.OptGroup("api", help="Where the REST API listens, and what it lets through.")

OPTIONS: list[cfg.Opt] = [
    cfg.HostAddressOpt("listen", default="127.0.0.1", help="The address to listen on; 0.0.0.0 is every one there is."),
    cfg.PortOpt("port", default=8774, help="The TCP port to listen on; 0 takes a free one."),
    cfg.StrOpt(
        "paste_config",
        default="/etc/mininova/api-paste.ini",
        help="The Paste Deploy file that says which applications answer, and through which filters.",
    ),
    cfg.URIOpt(
        "public_endpoint",
        schemes=["http", "https"],
        help="What users call it, when that is not http://LISTEN:PORT: http://cloud.example.org:8774, for one.",
    ),
    cfg.IntOpt("max_limit", default=1000, min=1, help="The most items that one page of a list has."),
    cfg.IntOpt("max_request_body_size", default=114688, min=1, help="The longest request body accepted, in bytes."),
    cfg.StrOpt(
        "default_schedule_zone",
        help="The availability zone for servers that ask for none; without it they may go to any zone.",
    ),
    cfg.IntOpt("password_length", default=12, min=1, help="The length of a generated adminPass, in characters."),
]
