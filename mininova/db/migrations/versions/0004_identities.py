"""Which compute processes there are, and the hosts that each stands for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table, empty: ``mininova-manage host add`` fills it."""
    op.create_table(
        "identities",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_identities"),
    )
