"""[fake]: the machine that the fake hypervisor pretends to be."""

from oslo_config import cfg

GROUP = cfg.OptGroup("fake", help="The machine that the fake hypervisor pretends to be, and how it behaves.")

OPTIONS: list[cfg.Opt] = [
    cfg.IntOpt("vcpus", default=8, min=1, help="How many CPUs it has."),
    cfg.IntOpt("memory_mb", default=16384, min=1, help="Its memory, in MiB."),
    cfg.IntOpt("local_gb", default=200, min=0, help="Its disk, in GiB."),
    cfg.StrOpt(
        "behaviour",
        help="A YAML file with delays and failures of each operation; it may be changed while the service runs.  "
        "Without it everything works at once.",
    ),
    cfg.StrOpt(
        "state_dir",
        default="$state_path/guests",
        help="The folder that remembers the guests, so that they outlive a restart of the service.",
    ),
]
