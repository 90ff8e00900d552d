"""Where the instances are that a request speaks of: the members of its server group, and those that its hints name.

The host manager reads them once for a request; filters and weighers find them in each HostState.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from oslo_config import cfg

from mininova import errors
from mininova.db import claims, server_groups
from mininova.db.server_groups import AFFINITY, ANTI_AFFINITY, SOFT_AFFINITY, SOFT_ANTI_AFFINITY, ServerGroup
from mininova.db.session import Connection
from mininova.objects import RequestSpec

# The hints that name instances.
SAME_HOST, DIFFERENT_HOST = "same_host", "different_host"
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
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    group: ServerGroup | None = None
    members: Counter[str] = field(default_factory=Counter)

    def count(self, host: str, policy: str) -> int:
        """Count the members on a host, if the group has a policy; without such a group there are none."""
        return self.members[host] if self.group is not None and self.group.policy == policy else 0


NOBODY = Neighbours()


def named_in(request_spec: RequestSpec, hint: str) -> set[str]:
    """Give the uuids that a hint has."""
    return set(filter(None, request_spec.scheduler_hints.get(hint, "").split(",")))


def read(tx: Connection, request_spec: RequestSpec, conf: cfg.ConfigOpts) -> Neighbours:
    """Read the neighbours of a request; one without such hints costs no query.

    :raises errors.NoValidHost: when nothing that is configured would honour the policy of the group
    """
    named = named_in(request_spec, SAME_HOST) | named_in(request_spec, DIFFERENT_HOST)
    hosts = claims.hosts_of(tx, sorted(named)) if named else {}
    group = server_groups.find(tx, request_spec.group) if request_spec.group else None
    if group is None:
        return Neighbours(hosts) if hosts else NOBODY
    needed, configured = NEEDED[group.policy], conf.filter_scheduler
    if needed not in (*configured.enabled_filters, *configured.enabled_weighers):
        raise errors.NoValidHost(reason=f"ServerGroup policy is not supported: {needed} not configured")
    return Neighbours(hosts, group, Counter(server_groups.hosts_of_members(tx, group.uuid).values()))
