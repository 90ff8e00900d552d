"""[scheduler]: how often a build is tried before it has failed."""

from oslo_config import cfg

GROUP = cfg.OptGroup("scheduler", help="How often a build is tried.")

OPTIONS: list[cfg.Opt] = [
    cfg.IntOpt(
        "max_attempts",
        default=3,
        min=1,
        help="How many hosts a build may be tried on, the first included, before the instance goes to ERROR.",
    ),
]
