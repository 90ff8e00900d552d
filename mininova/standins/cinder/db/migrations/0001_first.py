"""The first tables: mininova/standins/cinder/db/models.py has them as they are now."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME, MEDIUMTEXT

revision = "0001"
down_revision = None

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
LONG = sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Make them, empty."""
    op.create_table(
        "volume_types",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("extra_specs", LONG, nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_volume_types"),
        sa.UniqueConstraint("name", name="uq_volume_types_name"),
    )
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("description", sa.String(255)),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("bootable", "readonly", "multiattach")),
        sa.Column("volume_type_id", sa.String(36), nullable=False),
        sa.Column("availability_zone", sa.String(255), nullable=False),
        sa.Column("snapshot_id", sa.String(36)),
        sa.Column("source_volid", sa.String(36)),
        sa.Column("image_metadata", LONG, nullable=False),
        sa.Column("metadata", LONG, nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
        _key("volumes", "volume_type_id", "volume_types"),
    )
    op.create_table(
        "volume_snapshots",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("volume_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("description", sa.String(255)),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("metadata", LONG, nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_volume_snapshots"),
        _key("volume_snapshots", "volume_id", "volumes"),
    )
    op.create_table(
        "volume_attachments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("volume_id", sa.String(36), nullable=False),
        sa.Column("instance_uuid", sa.String(36)),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("mountpoint", sa.String(255)),
        sa.Column("mode", sa.String(8)),
        *_times(),
        sa.PrimaryKeyConstraint("id", name="pk_volume_attachments"),
        _key("volume_attachments", "volume_id", "volumes"),
    )
    op.create_table(
        "volume_quotas",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("limits", LONG, nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_volume_quotas"),
    )
    for table, column in (
        ("volumes", "project_id"),
        ("volumes", "volume_type_id"),
        ("volume_snapshots", "project_id"),
        ("volume_snapshots", "volume_id"),
        ("volume_attachments", "volume_id"),
        ("volume_attachments", "instance_uuid"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _times() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return sa.Column("created_at", MOMENT, nullable=False), sa.Column("updated_at", MOMENT, nullable=False)


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
