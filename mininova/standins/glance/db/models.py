"""The tables of the image service."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, false

from mininova.db.models.base import NAMING, Json, UTCDateTime

metadata = MetaData(naming_convention=NAMING)

# ``location`` names the file that holds the data, in the folder of the image service; nothing in it comes
# from a client.  ``properties`` and ``tags`` are copies of the rows in the two tables below, kept in the
# same transaction: so an image is one row to read, and can be found by both.
images = Table(
    "images",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64)),
    Column("name", String(255)),
    Column("status", String(16), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("container_format", String(32)),
    Column("disk_format", String(32)),
    Column("min_disk", Integer, nullable=False),
    Column("min_ram", Integer, nullable=False),
    Column("size", BigInteger),
    Column("virtual_size", BigInteger),
    Column("checksum", String(32)),
    Column("os_hash_algo", String(16)),
    Column("os_hash_value", String(128)),
    Column("location", String(64)),
    Column("protected", Boolean, nullable=False, server_default=false()),
    Column("os_hidden", Boolean, nullable=False, server_default=false()),
    Column("properties", Json(dict[str, str]), nullable=False),
    Column("tags", Json(tuple[str, ...]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Index("ix_images_list", "created_at", "id"),
    Index("ix_images_owner", "owner"),
    Index("ix_images_name", "name"),
)

image_properties = Table(
    "image_properties",
    metadata,
    Column("image_id", String(36), ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(255), primary_key=True, index=True),
    Column("value", Text, nullable=False),
)

image_tags = Table(
    "image_tags",
    metadata,
    Column("image_id", String(36), ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("value", String(255), primary_key=True, index=True),
)

# The projects that an image is shared with; ``status`` says whether the project accepts it.
image_members = Table(
    "image_members",
    metadata,
    Column("image_id", String(36), ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("member", String(64), primary_key=True, index=True),
    Column("status", String(16), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)
