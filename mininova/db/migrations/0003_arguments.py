"""The record of an operation has what it was asked with, so that it can be sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; the operations that are open need no arguments."""
    op.add_column("instance_actions", sa.Column("arguments", sa.Text()))
