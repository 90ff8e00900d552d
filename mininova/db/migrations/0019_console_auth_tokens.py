"""Tokens of consoles are kept, as hashes, until they expire."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0019"
down_revision = "0018"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "console_auth_tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("instance_host", sa.String(255), nullable=False),
        sa.Column("console_type", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("internal_access_path", sa.String(36), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_console_auth_tokens"),
    )
    op.create_index("ix_console_auth_tokens_expires_at", "console_auth_tokens", ["expires_at"])
