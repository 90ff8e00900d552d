"""Projects make networks, subnets, routers and floating IPs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
LONG = sa.Text


def upgrade() -> None:
    """Make their tables, empty."""
    _thing(
        "networks",
        sa.Column("admin_state_up", sa.Boolean, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("external", sa.Boolean, nullable=False),
        sa.Column("mtu", sa.Integer, nullable=False),
        sa.Column("port_security_enabled", sa.Boolean, nullable=False),
    )
    _thing(
        "subnets",
        sa.Column("network_id", sa.String(36), nullable=False),
        sa.Column("ip_version", sa.Integer, nullable=False),
        sa.Column("cidr", sa.String(64), nullable=False),
        sa.Column("gateway_ip", sa.String(39)),
        sa.Column("enable_dhcp", sa.Boolean, nullable=False),
        sa.Column("allocation_pools", LONG, nullable=False),
        sa.Column("dns_nameservers", LONG, nullable=False),
        sa.Column("host_routes", LONG, nullable=False),
        sa.Column("ipv6_address_mode", sa.String(32)),
        sa.Column("ipv6_ra_mode", sa.String(32)),
        names={"network_id": "networks"},
    )
    _thing(
        "routers",
        sa.Column("admin_state_up", sa.Boolean, nullable=False),
        sa.Column("external_network_id", sa.String(36)),
        sa.Column("enable_snat", sa.Boolean, nullable=False),
        sa.Column("routes", LONG, nullable=False),
        names={"external_network_id": "networks"},
    )
    _thing(
        "floating_ips",
        sa.Column("floating_network_id", sa.String(36), nullable=False),
        sa.Column("floating_ip_address", sa.String(39), nullable=False),
        sa.Column("router_id", sa.String(36)),
        sa.UniqueConstraint("floating_ip_address", name="uq_floating_ips_floating_ip_address"),
        names={"floating_network_id": "networks", "router_id": "routers"},
    )


def _thing(table: str, *columns: sa.schema.SchemaItem, names: dict[str, str] | None = None) -> None:
    """Make a table of things of projects.

    :param names: its columns that name a row of another table, and which table
    """
    op.create_table(
        table,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        *columns,
        sa.Column("tags", LONG, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
            for column, other in (names or {}).items()
        ),
    )
    for column in ("project_id", *(names or {})):
        op.create_index(f"ix_{table}_{column}", table, [column])
