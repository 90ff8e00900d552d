"""A compute node keeps beside its ratios of overcommit what its aggregates say."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Begin with nothing said."""
    for room in ("cpu", "ram", "disk"):
        op.add_column("compute_nodes", sa.Column(f"aggregate_{room}_allocation_ratio", sa.Float))
