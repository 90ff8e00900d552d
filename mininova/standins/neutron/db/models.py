"""The tables of the network service."""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, String, Table

from mininova.db.models.base import NAMING, Json, UTCDateTime
from mininova.db.project_limits import make_table

metadata = MetaData(naming_convention=NAMING)

# ``default_of`` is the project whose default group this is: each has one.
security_groups = Table(
    "security_groups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("default_of", String(64), unique=True),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False),
    Column("stateful", Boolean, nullable=False),
    Column("tags", Json(tuple[str, ...]), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

security_group_rules = Table(
    "security_group_rules",
    metadata,
    Column("id", String(36), primary_key=True),
    Column(
        "security_group_id",
        String(36),
        ForeignKey("security_groups.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("direction", String(8), nullable=False),
    Column("ethertype", String(4), nullable=False),
    Column("protocol", String(40)),
    Column("port_range_min", Integer),
    Column("port_range_max", Integer),
    Column("remote_ip_prefix", String(64)),
    Column("remote_group_id", String(36), ForeignKey("security_groups.id", ondelete="CASCADE"), index=True),
    Column("description", String(255), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)


def _thing(name: str, *columns: Column[Any]) -> Table:
    """Give a table of things of projects, with what each of them has."""
    return Table(
        name,
        metadata,
        Column("id", String(36), primary_key=True),
        Column("project_id", String(64), nullable=False, index=True),
        Column("name", String(255), nullable=False),
        Column("description", String(255), nullable=False),
        *columns,
        Column("tags", Json(tuple[str, ...]), nullable=False),
        Column("revision", Integer, nullable=False),
        Column("created_at", UTCDateTime, nullable=False),
        Column("updated_at", UTCDateTime, nullable=False),
    )


# The networks beside the flat one, which the configuration makes and which has no row.
networks = _thing(
    "networks",
    Column("admin_state_up", Boolean, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("external", Boolean, nullable=False),
    Column("mtu", Integer, nullable=False),
    Column("port_security_enabled", Boolean, nullable=False),
)

# ``allocation_pools`` are pairs of addresses.
subnets = _thing(
    "subnets",
    Column("network_id", String(36), ForeignKey("networks.id"), nullable=False, index=True),
    Column("ip_version", Integer, nullable=False),
    Column("cidr", String(64), nullable=False),
    Column("gateway_ip", String(39)),
    Column("enable_dhcp", Boolean, nullable=False),
    Column("allocation_pools", Json(tuple[tuple[str, str], ...]), nullable=False),
    Column("dns_nameservers", Json(tuple[str, ...]), nullable=False),
    Column("host_routes", Json(tuple[dict[str, str], ...]), nullable=False),
    Column("ipv6_address_mode", String(32)),
    Column("ipv6_ra_mode", String(32)),
)

# The external network that a router leads to is that of its gateway, a port.
routers = _thing(
    "routers",
    Column("admin_state_up", Boolean, nullable=False),
    Column("external_network_id", String(36), ForeignKey("networks.id"), index=True),
    Column("enable_snat", Boolean, nullable=False),
    Column("routes", Json(tuple[dict[str, str], ...]), nullable=False),
)

# Where a floating IP leads, the port says that it leads to (mininova/db/ports.py).
floating_ips = _thing(
    "floating_ips",
    Column("floating_network_id", String(36), ForeignKey("networks.id"), nullable=False, index=True),
    Column("floating_ip_address", String(39), nullable=False, unique=True),
    Column("router_id", String(36), ForeignKey("routers.id"), index=True),
)

# What a project may have, where that is not the default.
quotas = make_table("network_quotas", metadata)
