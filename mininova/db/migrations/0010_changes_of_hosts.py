"""A compute node has a number that grows when it changes, so that a scheduler reads again what has changed only."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Begin with 0."""
    op.add_column("compute_nodes", sa.Column("generation", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_compute_nodes_generation", "compute_nodes", ["generation"])
