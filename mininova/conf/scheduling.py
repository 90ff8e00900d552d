"""The groups that a scheduler reads: how it chooses, and what each filter and weigher is told.

groups.py has the table of all groups.
"""

from oslo_config import cfg

from mininova.conf.values import Group

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
                "BuildFailureWeigher",
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
            "build_failure_weight_multiplier",
            default=1000000.0,
            help="How much it counts against a host that builds have failed there since one ended well.  0 does not "
            "look at that; computes count it as [compute] consecutive_build_service_disable_threshold says.",
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
