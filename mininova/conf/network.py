"""[network]: the one flat network that instances get their addresses from."""

from oslo_config import cfg

from mininova.conf.values import Network

GROUP = cfg.OptGroup("network", help="The one flat network that instances get their addresses from.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt("label", default="flat", help="Its name, as a server's addresses show it."),
    cfg.Opt(
        "cidr",
        type=Network(),
        default="10.0.0.0/16",
        help="Its IPv4 range.  The first address is the gateway's; the others are lent to instances.",
    ),
]
