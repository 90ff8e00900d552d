"""A guest can tell the password of its administrator, encrypted for its owner."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column; no guest has told any."""
    op.add_column("instances", sa.Column("password", sa.Text))
