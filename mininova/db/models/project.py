"""The tables of what projects ask for, and how much of it they may have."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from mininova.db.models.base import Json, UTCDateTime, metadata
from mininova.objects import RequestSpec, Selection

flavors = Table(
    "flavors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("flavor_id", String(255), nullable=False, unique=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("memory_mb", Integer, nullable=False),
    Column("vcpus", Integer, nullable=False),
    Column("root_gb", Integer, nullable=False),
    Column("ephemeral_gb", Integer, nullable=False),
    Column("swap_mb", Integer, nullable=False),
    Column("rxtx_factor", Float, nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("description", Text),
    Column("extra_specs", Json(dict[str, str]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# Which projects may use a flavor that is not public.
flavor_projects = Table(
    "flavor_projects",
    metadata,
    Column("flavor_id", String(255), ForeignKey("flavors.flavor_id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", String(64), primary_key=True),
)

# What was asked for when an instance was, and where it may still go when its host cannot build it.
request_specs = Table(
    "request_specs",
    metadata,
    Column("instance_uuid", String(36), primary_key=True),
    Column("server_group_uuid", String(36), index=True),
    Column("spec", Json(RequestSpec), nullable=False),
    Column("alternates", Json(tuple[Selection, ...]), nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

server_groups = Table(
    "server_groups",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("project_id", String(64), nullable=False, index=True),
    Column("user_id", String(64), nullable=False),
    Column("policy", String(32), nullable=False),
    Column("rules", Json(dict[str, int]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

key_pairs = Table(
    "key_pairs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("type", String(16), nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    UniqueConstraint("user_id", "name", name="uq_key_pairs_user_id_name"),
)

# The limits that were set for a project, or for one user in it; by names of resources.  The project's own row, which
# has no user, is made with its first instance: who holds it may count what the project uses, and use more of it.  So
# for the row of a user without a project, and the user's key pairs.
quota_sets = Table(
    "quota_sets",
    metadata,
    Column("project_id", String(64), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    Column("limits", Json(dict[str, int]), nullable=False),
)

# The limits of each class; those of the class ``default`` hold where a project has none of its own.
quota_classes = Table(
    "quota_classes",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("limits", Json(dict[str, int]), nullable=False),
)
