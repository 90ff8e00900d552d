"""What hosts say of their usage audits is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0017"
down_revision = "0016"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Nothing was recorded before."""
    op.create_table(
        "task_log",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("task_name", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("period_beginning", MOMENT, nullable=False),
        sa.Column("period_ending", MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("task_items", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("message", sa.String(255), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_task_log"),
        sa.UniqueConstraint(
            "period_beginning", "period_ending", "task_name", "host", name="uq_task_log_period_task_host"
        ),
    )
