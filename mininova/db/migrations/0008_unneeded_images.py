"""Images that were made of instances, and that nothing needs any more, are noted until a conductor has deleted them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "unneeded_images",
        sa.Column("image_id", sa.String(36), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_unneeded_images"),
    )
