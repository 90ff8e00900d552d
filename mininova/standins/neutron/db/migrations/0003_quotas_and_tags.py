"""Projects have quotas, and security groups have tags, as everything else has."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of quotas, and the column; no group has a tag."""
    op.create_table(
        "network_quotas",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_network_quotas"),
    )
    with op.batch_alter_table("security_groups") as table:
        table.add_column(sa.Column("tags", sa.Text))
    op.execute("UPDATE security_groups SET tags = '[]'")
    with op.batch_alter_table("security_groups") as table:
        table.alter_column("tags", existing_type=sa.Text, nullable=False)
