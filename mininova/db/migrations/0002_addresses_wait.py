"""An address can wait for a host that may still have a guest with it: lent to no instance, and not free either."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let an address be lent to none, and name the guest and the host that it waits for; all are lent as before."""
    with op.batch_alter_table("fixed_ips") as table:  # SQLite has to copy the table
        table.alter_column("instance_uuid", existing_type=sa.String(36), nullable=True)
        table.add_column(sa.Column("guest_uuid", sa.String(36)))
        table.add_column(sa.Column("waits_for", sa.String(255)))
    op.create_index("ix_fixed_ips_waits_for", "fixed_ips", ["waits_for"])
