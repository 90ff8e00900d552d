"""An address is lent with a port, which a user may make as well: the table of addresses becomes that of ports."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

from mininova.objects.network import network_id, port_id, subnet_id

revision = "0016"
down_revision = "0015"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
KEPT = ["position", "address", "mac_address", "instance_uuid", "guest_uuid", "waits_for", "created_at"]


def upgrade() -> None:
    """Each address that is lent is its instance's port, and one that waits for a host is a port without an instance."""
    op.create_table(
        "ports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("network_id", sa.String(36), nullable=False),
        sa.Column("network", sa.String(255), nullable=False),
        sa.Column("subnet_id", sa.String(36)),
        sa.Column("position", sa.BigInteger),
        sa.Column("address", sa.String(39)),
        sa.Column("mac_address", sa.String(17)),
        sa.Column("instance_uuid", sa.String(36)),
        sa.Column("guest_uuid", sa.String(36)),
        sa.Column("waits_for", sa.String(255)),
        sa.Column("floating_address", sa.String(39)),
        sa.Column("tag", sa.String(60)),
        sa.Column("project_id", sa.String(64)),
        sa.Column("is_users", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("device_owner", sa.String(255)),
        sa.Column("device_id", sa.String(255)),
        sa.Column("said", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("plugged_at", MOMENT),
        sa.PrimaryKeyConstraint("id", "place", name="pk_ports"),
        sa.UniqueConstraint("subnet_id", "position", name="uq_ports_subnet_id_position"),
        sa.UniqueConstraint("network_id", "mac_address", name="uq_ports_network_id_mac_address"),
    )
    for column in ("instance_uuid", "waits_for", "project_id", "device_id"):
        op.create_index(f"ix_ports_{column}", "ports", [column])
    tx, columns = op.get_bind(), ", ".join(KEPT)
    for network, position, lent in tx.execute(sa.text("SELECT network, position, instance_uuid FROM fixed_ips")).all():
        tx.execute(
            sa.text(
                f"INSERT INTO ports (id, place, network_id, network, subnet_id, {columns}) "
                f"SELECT :id, 0, :network_id, network, :subnet_id, {columns} FROM fixed_ips "
                "WHERE network = :network AND position = :position"
            ),
            {
                "id": port_id(lent) if lent else str(uuid4()), "network": network, "position": position,
                "network_id": network_id(network), "subnet_id": subnet_id(network),
            },
        )  # fmt: skip
    op.drop_table("fixed_ips")
