"""Groups of users with their roles, and the application credentials of users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make their tables, empty."""
    op.create_table(
        "groups",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("domain_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name="fk_groups_domain_id_domains", ondelete="CASCADE"),
        sa.UniqueConstraint("domain_id", "name", name="uq_groups_domain_id_name"),
    )
    op.create_table(
        "group_members",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "group_id", name="pk_group_members"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_group_members_user_id_users", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_group_members_group_id_groups", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "group_role_assignments",
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("role_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "scope", "scope_id", "role_id", name="pk_group_role_assignments"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_group_role_assignments_group_id_groups", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name="fk_group_role_assignments_role_id_roles", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "application_credentials",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("secret_hash", sa.String(255), nullable=False),
        sa.Column("role_ids", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("unrestricted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name="pk_application_credentials"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_application_credentials_user_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_application_credentials_project_id_projects", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("user_id", "name", name="uq_application_credentials_user_id_name"),
    )
