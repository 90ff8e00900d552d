"""The tables of services and hosts: what they have, what of it is promised, and how far they are trusted."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Integer, String, Table, UniqueConstraint

from mininova.db.models.base import BigId, Json, UTCDateTime, metadata

services = Table(
    "services",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("binary", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("availability_zone", String(255), nullable=False),
    Column("aggregate_zone", String(255)),  # where an aggregate puts it, though it may report another
    Column("disabled", Boolean, nullable=False),
    Column("disabled_reason", String(255)),
    Column("forced_down", Boolean, nullable=False),
    Column("report_count", Integer, nullable=False),
    Column("last_seen_up", UTCDateTime),
    Column("versions", Json(dict[str, str], shared=True), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    UniqueConstraint("host", "binary", name="uq_services_host_binary"),
)

# ``generation`` grows with each change of what a scheduler looks at: of this row, and of the row of the host's service
# apart from its heartbeats (db/generations.py).
compute_nodes = Table(
    "compute_nodes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("host", String(255), nullable=False, unique=True),
    Column("hypervisor_hostname", String(255), nullable=False),
    Column("hypervisor_type", String(64), nullable=False),
    Column("hypervisor_version", Integer, nullable=False),
    Column("vcpus", Integer, nullable=False),
    Column("memory_mb", Integer, nullable=False),
    Column("local_gb", Integer, nullable=False),
    Column("vcpus_used", Integer, nullable=False),
    Column("memory_mb_used", Integer, nullable=False),
    Column("local_gb_used", Integer, nullable=False),
    Column("instances_used", Integer, nullable=False, server_default="0"),
    Column("cpu_allocation_ratio", Float, nullable=False),
    Column("ram_allocation_ratio", Float, nullable=False),
    Column("disk_allocation_ratio", Float, nullable=False),
    Column("aggregate_cpu_allocation_ratio", Float),  # what its aggregates say, though it may report another
    Column("aggregate_ram_allocation_ratio", Float),
    Column("aggregate_disk_allocation_ratio", Float),
    Column("aggregate_metadata", Json(dict[str, frozenset[str]], shared=True)),  # all that its aggregates say
    Column("host_ip", String(39), nullable=False),
    Column("cpu_info", Json(dict[str, str | list[str]], shared=True), nullable=False),
    Column("image_properties", Json(dict[str, list[str]], shared=True), nullable=False),
    Column("running_vms", Integer, nullable=False),
    Column("failed_builds", Integer, nullable=False, server_default="0"),
    Column("generation", BigInteger, nullable=False, server_default="0", index=True),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

# What is promised to whom; the sums of it are the compute node's ``…_used``, kept in the same transaction.  What an
# instance keeps on the host that it comes from is promised to its migration, by the uuid of that.
allocations = Table(
    "allocations",
    metadata,
    Column("instance_uuid", String(36), primary_key=True),
    Column("host", String(255), nullable=False, index=True),
    Column("vcpus", Integer, nullable=False),
    Column("memory_mb", Integer, nullable=False),
    Column("disk_gb", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# The most that a host may say it offers; what is NULL is what its next report says.
host_limits = Table(
    "host_limits",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("vcpus", Integer),
    Column("memory_mb", Integer),
    Column("local_gb", Integer),
    Column("cpu_allocation_ratio", Float),
    Column("ram_allocation_ratio", Float),
    Column("disk_allocation_ratio", Float),
    Column("availability_zone", String(255)),
    Column("image_properties", Json(dict[str, list[str]])),
    Column("cpu_info", Json(dict[str, str | list[str]])),
)

# Hosts that belong together, and what is said of them (db/aggregates.py).
aggregates = Table(
    "aggregates",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("metadata", Json(dict[str, str]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime),
)

aggregate_hosts = Table(
    "aggregate_hosts",
    metadata,
    Column("aggregate_id", Integer, ForeignKey("aggregates.id", ondelete="CASCADE"), primary_key=True),
    Column("host", String(255), primary_key=True, index=True),
)

# The broker users of computes, and the hosts that each may speak for.
identities = Table(
    "identities",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("hosts", Json(tuple[str, ...]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("rotated_at", UTCDateTime, nullable=False),
    Column("password_hash", String(64)),
)

# What callers wanted and were refused, counted.
denials = Table(
    "denials",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("caller", String(128), nullable=False),
    Column("method", String(64), nullable=False),
    Column("object", String(128), nullable=False),
    Column("reason", String(255), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_at", UTCDateTime, nullable=False),
    Column("last_at", UTCDateTime, nullable=False),
    UniqueConstraint("caller", "method", "object", name="uq_denials_caller_method_object"),
)

# How far each host has come with the work of each period.
task_log = Table(
    "task_log",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("task_name", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("period_beginning", UTCDateTime, nullable=False),
    Column("period_ending", UTCDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("task_items", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("message", String(255), nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    UniqueConstraint("period_beginning", "period_ending", "task_name", "host", name="uq_task_log_period_task_host"),
)
