"""The tables of the identity service."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from mininova.db.models.base import NAMING, Json, UTCDateTime

metadata = MetaData(naming_convention=NAMING)

domains = Table(
    "domains",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("description", Text),
    Column("enabled", Boolean, nullable=False, server_default=true()),
)

projects = Table(
    "projects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("domain_id", String(64), ForeignKey("domains.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", Text),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("extra", Json(dict[str, Any]), nullable=False),
    UniqueConstraint("domain_id", "name", name="uq_projects_domain_id_name"),
)

# ``token_generation`` counts what ends all of a user's tokens: a new password, and being disabled.
users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("domain_id", String(64), ForeignKey("domains.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("default_project_id", String(64)),
    Column("password_hash", String(255)),
    Column("token_generation", Integer, nullable=False),
    Column("extra", Json(dict[str, Any]), nullable=False),
    UniqueConstraint("domain_id", "name", name="uq_users_domain_id_name"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", Text),
)

# ``scope`` is project, domain or system; ``scope_id`` is which of them (of the one system: all).
role_assignments = Table(
    "role_assignments",
    metadata,
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("scope_id", String(64), primary_key=True),
    Column("role_id", String(64), ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)

# Users that are given roles together; a member has each role of the group, in the same places.
groups = Table(
    "groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("domain_id", String(64), ForeignKey("domains.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", Text),
    UniqueConstraint("domain_id", "name", name="uq_groups_domain_id_name"),
)

group_members = Table(
    "group_members",
    metadata,
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", String(64), ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
)

group_role_assignments = Table(
    "group_role_assignments",
    metadata,
    Column("group_id", String(64), ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("scope_id", String(64), primary_key=True),
    Column("role_id", String(64), ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)

# With which a program logs in as a user, in one project, with some of the user's roles.
application_credentials = Table(
    "application_credentials",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", String(64), ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("secret_hash", String(255), nullable=False),
    Column("role_ids", Json(tuple[str, ...]), nullable=False),
    Column("expires_at", UTCDateTime),
    Column("unrestricted", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("user_id", "name", name="uq_application_credentials_user_id_name"),
)

# What was revoked before its time; a row may go when the token would have expired anyway.
revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("audit_id", String(32), primary_key=True),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

regions = Table(
    "regions",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("description", Text),
    Column("parent_region_id", String(255)),
)

catalog_services = Table(
    "catalog_services",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("type", String(255), nullable=False),
    Column("name", String(255)),
    Column("description", Text),
    Column("enabled", Boolean, nullable=False, server_default=true()),
)

catalog_endpoints = Table(
    "catalog_endpoints",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("service_id", String(64), ForeignKey("catalog_services.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("region_id", String(255), ForeignKey("regions.id")),
    Column("interface", String(8), nullable=False),
    Column("url", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
)
