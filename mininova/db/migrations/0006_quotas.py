"""Projects, users in them and classes of them have limits that an administrator sets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0006"
down_revision = "0005"

LONG_TEXT = sa.Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")


def upgrade() -> None:
    """Make the tables, empty: all have the limits of the configuration."""
    op.create_table(
        "quota_sets",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("limits", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_quota_sets"),
    )
    op.create_table(
        "quota_classes",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("limits", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_quota_classes"),
    )
