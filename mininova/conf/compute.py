"""[compute]: what a compute node promises over what it has, and how much it does at a time."""

from oslo_config import cfg

GROUP = cfg.OptGroup("compute", help="What a compute node promises over what it has, and how much it does at a time.")

OPTIONS: list[cfg.Opt] = [
    cfg.FloatOpt("cpu_allocation_ratio", default=16.0, min=0.01, help="vCPUs promised for each one there is."),
    cfg.FloatOpt("ram_allocation_ratio", default=1.5, min=0.01, help="MiB of memory promised for each one there is."),
    cfg.FloatOpt("disk_allocation_ratio", default=1.0, min=0.01, help="GiB of disk promised for each one there is."),
    cfg.StrOpt("default_availability_zone", default="nova", help="The availability zone of compute hosts."),
    cfg.IntOpt("max_concurrent_builds", default=10, min=1, help="How many builds a compute node works on at a time."),
]
