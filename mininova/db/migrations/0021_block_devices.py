"""Which instance has which volume, and what is being done about it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME, MEDIUMTEXT

revision = "0021"
down_revision = "0020"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "block_devices",
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("volume_id", sa.String(36), nullable=False),
        sa.Column("attachment_id", sa.String(36), nullable=False),
        sa.Column("device_name", sa.String(255), nullable=False),
        sa.Column("tag", sa.String(255)),
        sa.Column("delete_on_termination", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("context", sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_block_devices"),
        sa.UniqueConstraint("instance_uuid", "volume_id", name="uq_block_devices_instance_uuid"),
    )
    op.create_index("ix_block_devices_due_at", "block_devices", ["due_at"])
