"""The tables of instances, and of what is theirs: actions, migrations, ports, volumes and consoles."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from mininova.context import RequestContext
from mininova.db.models.base import BigId, Json, UTCDateTime, metadata
from mininova.objects import Arguments, BlockDeviceMapping, FixedIP, Flavor, Retry

# ``flavor_id`` is a copy out of ``flavor``, and ``addresses`` and ``tags`` are copies of the rows in ports and
# instance_tags, kept in the same transaction: so an instance is one row to read, and can be found by all of them.
instances = Table(
    "instances",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("project_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("display_name", String(255), nullable=False),
    Column("display_description", String(255)),
    Column("hostname", String(255), nullable=False),
    Column("host", String(255)),
    Column("node", String(255)),
    Column("availability_zone", String(255)),
    Column("requested_zone", String(255)),
    Column("vm_state", String(32), nullable=False),
    Column("task_state", String(32)),
    Column("power_state", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("flavor", Json(Flavor, shared=True), nullable=False),
    Column("flavor_id", String(255), nullable=False),
    Column("image_ref", String(36), nullable=False),
    Column("key_name", String(255)),
    Column("reservation_id", String(32), nullable=False),
    Column("launch_index", Integer, nullable=False),
    Column("networks", String(16), nullable=False),
    Column("addresses", Json(tuple[FixedIP, ...]), nullable=False),
    Column("metadata", Json(dict[str, str]), nullable=False),
    Column("config_drive", Boolean, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("locked_by", String(8)),
    Column("locked_reason", String(255)),
    Column("disk_config", String(8), nullable=False),
    Column("tags", Json(tuple[str, ...]), nullable=False),
    Column("access_ip_v4", String(39)),
    Column("access_ip_v6", String(39)),
    Column("root_device_name", String(64), nullable=False),
    Column("progress", Integer, nullable=False),
    Column("security_groups", Json(tuple[str, ...])),  # their ids; NULL is the project's default one
    Column("user_data", Text),
    Column("password", Text),  # that its guest told, encrypted for its owner
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("launched_at", UTCDateTime),
    Column("terminated_at", UTCDateTime),
    Column("deleted_at", UTCDateTime),
    Index("ix_instances_project_list", "project_id", "deleted", "created_at", "id"),
    Index("ix_instances_all_list", "deleted", "created_at", "id"),
    Index("ix_instances_host", "host", "deleted"),
    Index("ix_instances_reservation", "reservation_id"),
)

instance_tags = Table(
    "instance_tags",
    metadata,
    Column("instance_uuid", String(36), primary_key=True),
    Column("tag", String(60), primary_key=True),
    Index("ix_instance_tags_tag", "tag"),
)

instance_actions = Table(
    "instance_actions",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("action", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("user_id", String(64)),
    Column("project_id", String(64)),
    Column("message", String(255)),
    Column("start_time", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("finish_time", UTCDateTime),
    # What a conductor needs to go on with an open one (db/open_operations.py); those that have ended are never due.
    Column("operation", String(64)),
    Column("generation", Integer),
    Column("context", Json(RequestContext)),
    Column("arguments", Json(Arguments)),
    Column("due_at", UTCDateTime),
    Column("tries", Integer, nullable=False),
    Index("ix_instance_actions_instance", "instance_uuid", "request_id"),
    Index("ix_instance_actions_due_at", "due_at"),
)

instance_action_events = Table(
    "instance_action_events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("action_id", BigId, ForeignKey("instance_actions.id"), nullable=False, index=True),
    Column("event", String(64), nullable=False),
    Column("host", String(255)),
    Column("start_time", UTCDateTime, nullable=False),
    Column("finish_time", UTCDateTime),
    Column("result", String(32)),
    Column("traceback", Text),
)

instance_faults = Table(
    "instance_faults",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("instance_uuid", String(36), nullable=False, index=True),
    Column("code", Integer, nullable=False),
    Column("message", String(255), nullable=False),
    Column("details", Text, nullable=False),
    Column("host", String(255)),
    Column("created_at", UTCDateTime, nullable=False),
)

# The ways of instances from host to host (db/server_migrations.py); an instance has one open one at most.
migrations = Table(
    "migrations",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("migration_type", String(32), nullable=False),
    Column("status", String(32), nullable=False),
    Column("step", String(32)),
    Column("is_open", Boolean, nullable=False),
    Column("old_vm_state", String(32), nullable=False),
    Column("old_flavor", Json(Flavor, shared=True), nullable=False),
    Column("new_flavor", Json(Flavor, shared=True), nullable=False),
    Column("source_compute", String(255), nullable=False),
    Column("source_node", String(255), nullable=False),
    Column("source_zone", String(255), nullable=False),
    Column("dest_compute", String(255)),
    Column("dest_node", String(255)),
    Column("dest_zone", String(255)),
    Column("retry", Json(Retry), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("left_on", String(255), index=True),
    Index("ix_migrations_instance", "instance_uuid", "is_open"),
    Index("ix_migrations_open", "is_open", "status"),
    Index("ix_migrations_created_at", "created_at", "id"),
)

# The ports, and the addresses lent with them (db/networks.py).  The row of a port has the first of its addresses, if it
# has any, at ``place`` 0; each further one is a row more, which says nothing but its address and whose it is.
# ``position`` is the address's place in its subnet's range.  A port of no instance was that of ``guest_uuid``: its
# place is below 0, and it waits until the host ``waits_for`` has no guest of it; or it is a user's, who keeps it.  A
# boot's port has no project: it is its instance's.
ports = Table(
    "ports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("network_id", String(36), nullable=False),
    Column("network", String(255), nullable=False),
    Column("subnet_id", String(36)),
    Column("position", BigInteger),
    Column("address", String(39)),
    Column("mac_address", String(17)),
    Column("instance_uuid", String(36), index=True),
    Column("guest_uuid", String(36)),
    Column("waits_for", String(255), index=True),
    Column("floating_address", String(39)),
    Column("tag", String(60)),
    Column("project_id", String(64), index=True),
    Column("is_users", Boolean, nullable=False, server_default=false()),
    Column("device_owner", String(255)),
    Column("device_id", String(255), index=True),
    Column("said", Json(dict[str, Any])),
    Column("created_at", UTCDateTime, nullable=False),
    Column("plugged_at", UTCDateTime),
    UniqueConstraint("subnet_id", "position", name="uq_ports_subnet_id_position"),
    UniqueConstraint("network_id", "mac_address", name="uq_ports_network_id_mac_address"),
)

# Which instance has which volume.  One that is attaching or detaching is due when a conductor is to look whether that
# goes on (db/block_devices.py).
block_devices = Table(
    "block_devices",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("volume_id", String(36), nullable=False),
    Column("attachment_id", String(36), nullable=False),
    Column("device_name", String(255), nullable=False),
    Column("tag", String(255)),
    Column("delete_on_termination", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("context", Json(RequestContext), nullable=False),
    Column("due_at", UTCDateTime),
    Column("created_at", UTCDateTime, nullable=False),
    Column("asked", Json(BlockDeviceMapping)),  # by the boot of the instance; NULL for what was attached later
    UniqueConstraint("instance_uuid", "volume_id"),
    Index("ix_block_devices_due_at", "due_at"),
    Index("ix_block_devices_volume", "volume_id"),
)

# Images that were made of instances, and that nothing needs any more: a conductor deletes them.
unneeded_images = Table(
    "unneeded_images",
    metadata,
    Column("image_id", String(36), primary_key=True),
    Column("created_at", UTCDateTime, nullable=False),
)

# What opens the console of an instance for a short time, by the hash of the token (db/console_auth_tokens.py).
# ``instance_host`` is where the instance was; ``host`` and ``port`` are the console's.
console_auth_tokens = Table(
    "console_auth_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("instance_host", String(255), nullable=False),
    Column("console_type", String(32), nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("internal_access_path", String(36), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)
