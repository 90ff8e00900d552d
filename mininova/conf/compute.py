"""[compute]: which hosts a compute stands for, what each promises over what it has, and how much it does at a time."""

from oslo_config import cfg

from mininova.conf.values import HostList

GROUP = cfg.OptGroup(
    "compute",
    help="Which hosts a compute stands for, what each promises over what it has, and how much it does at a time.",
)

OPTIONS: list[cfg.Opt] = [
    cfg.Opt(
        "hosts",
        type=HostList(),
        help="The hosts that this process stands for, when they are not the one that is named by [DEFAULT] host: names "
        "and ranges, such as edge, node-[0001-1000].  Then [DEFAULT] host is the name of the process, after which its "
        "broker user is called: NAME of `mininova-manage host add NAME --hosts`, which writes both.",
    ),
    cfg.FloatOpt("cpu_allocation_ratio", default=16.0, min=0.01, help="vCPUs promised for each one there is."),
    cfg.FloatOpt("ram_allocation_ratio", default=1.5, min=0.01, help="MiB of memory promised for each one there is."),
    cfg.FloatOpt("disk_allocation_ratio", default=1.0, min=0.01, help="GiB of disk promised for each one there is."),
    cfg.StrOpt("default_availability_zone", default="nova", help="The availability zone of compute hosts."),
    cfg.IntOpt("max_concurrent_builds", default=10, min=1, help="How many builds a host works on at a time."),
]
