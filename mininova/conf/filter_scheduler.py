"""[filter_scheduler]: which hosts may be chosen, and which of them are better."""

from oslo_config import cfg

GROUP = cfg.OptGroup("filter_scheduler", help="Which hosts may be chosen, and which of them are better.")

FILTERS = [
    "ComputeFilter",
    "AvailabilityZoneFilter",
    "RetryFilter",
    "ImagePropertiesFilter",
    "RamFilter",
    "CoreFilter",
    "DiskFilter",
]

OPTIONS: list[cfg.Opt] = [
    cfg.ListOpt(
        "enabled_filters", default=FILTERS, help="The filters that a host must pass, in the order they are asked."
    ),
    cfg.FloatOpt(
        "ram_weight_multiplier",
        default=1.0,
        help="How much free memory speaks for a host: a positive number spreads instances, a negative one stacks them.",
    ),
    cfg.FloatOpt(
        "cpu_weight_multiplier",
        default=1.0,
        help="How much free vCPUs speak for a host: a positive number spreads instances, a negative one stacks them.",
    ),
]
