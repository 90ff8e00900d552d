"""Networks, subnets, routers and floating IPs: how their rows are made, read, changed and deleted, all alike."""

from sqlalchemy import Connection, bindparam, exists, or_, select

from mininova.db.kinds import Kind, Thing
from mininova.db.project_limits import ProjectLimits
from mininova.standins.neutron.db.models import floating_ips, networks, quotas, routers, subnets


class Owned(Thing, frozen=True, kw_only=True):
    """What a project makes."""

    project_id: str
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    revision: int = 1


class Network(Owned, frozen=True, kw_only=True):
    """A network.

    :param shared: whether every project may use it
    :param external: whether it leads out, and floating IPs are of it
    """

    admin_state_up: bool = True
    shared: bool = False
    external: bool = False
    mtu: int = 1450
    port_security_enabled: bool = True


class Subnet(Owned, frozen=True, kw_only=True):
    """A range of addresses in a network.

    :param allocation_pools: the first and the last address of each part that is lent
    """

    network_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None = None
    enable_dhcp: bool = True
    allocation_pools: tuple[tuple[str, str], ...] = ()
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[dict[str, str], ...] = ()
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None


class Router(Owned, frozen=True, kw_only=True):
    """What leads from network to network.

    :param external_network_id: the network that it leads out to
    """

    admin_state_up: bool = True
    external_network_id: str | None = None
    enable_snat: bool = True
    routes: tuple[dict[str, str], ...] = ()


class FloatingIP(Owned, frozen=True, kw_only=True):
    """An address of an external network that leads to an address of a port, or to none.

    :param router_id: by which router it leads there
    """

    floating_network_id: str
    floating_ip_address: str
    router_id: str | None = None


NETWORKS = Kind(Network, networks, "Network")
SUBNETS = Kind(Subnet, subnets, "Subnet")
ROUTERS = Kind(Router, routers, "Router")
FLOATING_IPS = Kind(FloatingIP, floating_ips, "Floating IP")
LIMITS = ProjectLimits(quotas)

_projects_own = select(exists().where(or_(networks.c.project_id == bindparam("whose"), networks.c.shared)))


def has_network(tx: Connection, project_id: str) -> bool:
    """Tell whether a project has a network of its own, or one that all share beside the flat one."""
    return bool(tx.execute(_projects_own, {"whose": project_id}).scalar())
