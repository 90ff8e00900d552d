"""The tables of the network service."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, String, Table

from mininova.db.models.base import NAMING, UTCDateTime

metadata = MetaData(naming_convention=NAMING)

# ``default_of`` is the project whose default group this is: each has one.
security_groups = Table(
    "security_groups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("default_of", String(64), unique=True),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False),
    Column("stateful", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

security_group_rules = Table(
    "security_group_rules",
    metadata,
    Column("id", String(36), primary_key=True),
    Column(
        "security_group_id",
        String(36),
        ForeignKey("security_groups.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("direction", String(8), nullable=False),
    Column("ethertype", String(4), nullable=False),
    Column("protocol", String(40)),
    Column("port_range_min", Integer),
    Column("port_range_max", Integer),
    Column("remote_ip_prefix", String(64)),
    Column("remote_group_id", String(36), ForeignKey("security_groups.id", ondelete="CASCADE"), index=True),
    Column("description", String(255), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)
