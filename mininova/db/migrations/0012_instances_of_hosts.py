"""A compute node counts the instances that have room on it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Count them."""
    op.add_column("compute_nodes", sa.Column("instances_used", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE compute_nodes SET instances_used = "
        "(SELECT count(*) FROM allocations WHERE allocations.host = compute_nodes.host)"
    )
