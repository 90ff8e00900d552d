"""The tables of the volume service."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, String, Table

from mininova.db.models.base import NAMING, Json, UTCDateTime
from mininova.db.project_limits import make_table

metadata = MetaData(naming_convention=NAMING)

Texts = Json(dict[str, str])

volume_types = Table(
    "volume_types",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", String(255)),
    Column("is_public", Boolean, nullable=False),
    Column("extra_specs", Texts, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

volumes = Table(
    "volumes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("user_id", String(64), nullable=False),
    Column("name", String(255)),
    Column("description", String(255)),
    Column("size", Integer, nullable=False),
    Column("status", String(32), nullable=False),
    Column("bootable", Boolean, nullable=False),
    Column("readonly", Boolean, nullable=False),
    Column("multiattach", Boolean, nullable=False),
    Column("volume_type_id", String(36), ForeignKey("volume_types.id"), nullable=False, index=True),
    Column("availability_zone", String(255), nullable=False),
    Column("snapshot_id", String(36)),
    Column("source_volid", String(36)),
    Column("image_metadata", Texts, nullable=False),
    Column("metadata", Texts, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

snapshots = Table(
    "volume_snapshots",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("user_id", String(64), nullable=False),
    Column("volume_id", String(36), ForeignKey("volumes.id"), nullable=False, index=True),
    Column("name", String(255)),
    Column("description", String(255)),
    Column("size", Integer, nullable=False),
    Column("status", String(32), nullable=False),
    Column("metadata", Texts, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

attachments = Table(
    "volume_attachments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("volume_id", String(36), ForeignKey("volumes.id"), nullable=False, index=True),
    Column("instance_uuid", String(36), index=True),
    Column("status", String(32), nullable=False),
    Column("host", String(255)),
    Column("mountpoint", String(255)),
    Column("mode", String(8)),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

# What a project may have, where that is not the default.
quotas = make_table("volume_quotas", metadata)
