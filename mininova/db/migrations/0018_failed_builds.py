"""A compute node counts the builds that have failed on it lately."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Begin with none."""
    op.add_column("compute_nodes", sa.Column("failed_builds", sa.Integer, nullable=False, server_default="0"))
