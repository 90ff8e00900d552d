"""A migration names the host on which a guest may be left, until that host says that there is none."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; of what ended before, nothing is known to be left."""
    op.add_column("migrations", sa.Column("left_on", sa.String(255)))
    op.create_index("ix_migrations_left_on", "migrations", ["left_on"])
