"""An instance has security groups."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """All have the default one of their project, and no list of their own."""
    op.add_column("instances", sa.Column("security_groups", sa.Text))
