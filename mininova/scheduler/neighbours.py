"""Where the instances are that a request speaks of: the members of its server group, and those that its hints name.

The host manager reads them once for a request; filters and weighers find them in each HostState.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from oslo_config import cfg

from mininova import errors
from mininova.db import claims, open_operations, server_groups
from mininova.db.server_groups import AFFINITY, ANTI_AFFINITY, SOFT_AFFINITY, SOFT_ANTI_AFFINITY, ServerGroup
from mininova.db.session import Connection
from mininova.objects import RequestSpec

# The hints that name instances.
SAME_HOST, DIFFERENT_HOST = "same_host", "different_host"
# The operations by which an instance is at work: they read and write much of a host's disk, or of the network.
AT_WORK = (
    "build", "rebuild", "resize", "migrate", "live_migrate", "snapshot", "backup", "shelve", "unshelve", "evacuate",
)  # fmt: skip
# What honours each policy.
NEEDED = {
    AFFINITY: "ServerGroupAffinityFilter",
    ANTI_AFFINITY: "ServerGroupAntiAffinityFilter",
    SOFT_AFFINITY: "ServerGroupSoftAffinityWeigher",
    SOFT_ANTI_AFFINITY: "ServerGroupSoftAntiAffinityWeigher",
}


@dataclass(frozen=True)
class Neighbours:
    """Where the instances are that a request speaks of.

    :param hosts: uuid → host, of the instances that hints name and that have room anywhere
    :param group: that the new instances are to be members of
    :param members: how many members there are on each host where there are any, this request's included
    :param at_work: how many instances of each host are at work, where there are any
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    group: ServerGroup | None = None
    members: Counter[str] = field(default_factory=Counter)
    at_work: Mapping[str, int] = field(default_factory=dict)

    def count(self, host: str, policy: str) -> int:
        """Count the members on a host, if the group has a policy; without such a group there are none."""
        return self.members[host] if self.group is not None and self.group.policy == policy else 0


NOBODY = Neighbours()


def named_in(request_spec: RequestSpec, hint: str) -> set[str]:
    """Give the uuids that a hint has."""
    return set(filter(None, request_spec.scheduler_hints.get(hint, "").split(",")))


def read(tx: Connection, request_spec: RequestSpec, conf: cfg.ConfigOpts, *, io_ops: bool = False) -> Neighbours:
    """Read the neighbours of a request; one without such hints costs no query.

    :param io_ops: whether to read as well how many instances are at work
    :raises errors.NoValidHost: when nothing that is configured would honour the policy of the group
    """
    named = named_in(request_spec, SAME_HOST) | named_in(request_spec, DIFFERENT_HOST)
    hosts = claims.hosts_of(tx, sorted(named)) if named else {}
    group = server_groups.find(tx, request_spec.group) if request_spec.group else None
    at_work = open_operations.at_work(tx, AT_WORK) if io_ops else {}
    if group is None:
        return Neighbours(hosts, at_work=at_work) if hosts or at_work else NOBODY
    needed, configured = NEEDED[group.policy], conf.filter_scheduler
    if needed not in (*configured.enabled_filters, *configured.enabled_weighers):
        raise errors.NoValidHost(reason=f"ServerGroup policy is not supported: {needed} not configured")
    return Neighbours(hosts, group, server_groups.count_by_host(tx, group), at_work)
