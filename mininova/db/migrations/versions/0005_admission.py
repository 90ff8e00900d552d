"""What the conductor decides by, instead of by what a compute node says; and what it has refused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, empty; a host that is registered already may offer what it offers now."""
    op.create_table(
        "request_specs",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("alternates", sa.Text, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", name="pk_request_specs"),
    )
    op.create_table(
        "host_limits",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("vcpus", sa.Integer),
        sa.Column("memory_mb", sa.Integer),
        sa.Column("local_gb", sa.Integer),
        sa.Column("cpu_allocation_ratio", sa.Float),
        sa.Column("ram_allocation_ratio", sa.Float),
        sa.Column("disk_allocation_ratio", sa.Float),
        sa.Column("availability_zone", sa.String(255)),
        sa.Column("image_properties", sa.Text),
        sa.Column("cpu_info", sa.Text),
        sa.PrimaryKeyConstraint("host", name="pk_host_limits"),
    )
    op.create_table(
        "denials",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("caller", sa.String(128), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("object", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_denials"),
        sa.UniqueConstraint("caller", "method", "object", name="uq_denials_caller_method_object"),
    )
    op.execute(
        "INSERT INTO host_limits (host, vcpus, memory_mb, local_gb, cpu_allocation_ratio, ram_allocation_ratio, "
        "disk_allocation_ratio, availability_zone, image_properties, cpu_info) "
        "SELECT n.host, n.vcpus, n.memory_mb, n.local_gb, n.cpu_allocation_ratio, n.ram_allocation_ratio, "
        "n.disk_allocation_ratio, s.availability_zone, n.image_properties, n.cpu_info "
        "FROM compute_nodes n LEFT JOIN services s ON s.host = n.host AND s.topic = 'compute'"
    )
