"""An instance can go from one host to another, and a row says how far it has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "migrations",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("migration_type", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32)),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("old_vm_state", sa.String(32), nullable=False),
        sa.Column("old_flavor", sa.Text, nullable=False),
        sa.Column("new_flavor", sa.Text, nullable=False),
        sa.Column("source_compute", sa.String(255), nullable=False),
        sa.Column("source_node", sa.String(255), nullable=False),
        sa.Column("source_zone", sa.String(255), nullable=False),
        sa.Column("dest_compute", sa.String(255)),
        sa.Column("dest_node", sa.String(255)),
        sa.Column("dest_zone", sa.String(255)),
        sa.Column("retry", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_migrations"),
        sa.UniqueConstraint("uuid", name="uq_migrations_uuid"),
    )
    op.create_index("ix_migrations_instance", "migrations", ["instance_uuid", "is_open"])
    op.create_index("ix_migrations_open", "migrations", ["is_open", "status"])
    op.create_index("ix_migrations_created_at", "migrations", ["created_at", "id"])
