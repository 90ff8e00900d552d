"""The tables of the first release: mininova/db/models has them as they are now."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0001"
down_revision = None

MOMENT = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them, empty."""
    op.create_table(
        "instances",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("display_description", sa.String(255)),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("node", sa.String(255)),
        sa.Column("availability_zone", sa.String(255)),
        sa.Column("requested_zone", sa.String(255)),
        sa.Column("vm_state", sa.String(32), nullable=False),
        sa.Column("task_state", sa.String(32)),
        sa.Column("power_state", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("flavor", sa.Text, nullable=False),
        sa.Column("flavor_id", sa.String(255), nullable=False),
        sa.Column("image_ref", sa.String(36), nullable=False),
        sa.Column("key_name", sa.String(255)),
        sa.Column("reservation_id", sa.String(32), nullable=False),
        sa.Column("launch_index", sa.Integer, nullable=False),
        sa.Column("networks", sa.String(16), nullable=False),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("config_drive", sa.Boolean, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("locked_by", sa.String(8)),
        sa.Column("locked_reason", sa.String(255)),
        sa.Column("disk_config", sa.String(8), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("access_ip_v4", sa.String(39)),
        sa.Column("access_ip_v6", sa.String(39)),
        sa.Column("root_device_name", sa.String(64), nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("user_data", sa.Text),
        sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("launched_at", MOMENT),
        sa.Column("terminated_at", MOMENT),
        sa.Column("deleted_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        sa.UniqueConstraint("uuid", name="uq_instances_uuid"),
    )
    op.create_index("ix_instances_project_list", "instances", ["project_id", "deleted", "created_at", "id"])
    op.create_index("ix_instances_all_list", "instances", ["deleted", "created_at", "id"])
    op.create_index("ix_instances_host", "instances", ["host", "deleted"])
    op.create_index("ix_instances_reservation", "instances", ["reservation_id"])
    op.create_table(
        "instance_tags",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("tag", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", "tag", name="pk_instance_tags"),
    )
    op.create_index("ix_instance_tags_tag", "instance_tags", ["tag"])
    op.create_table(
        "instance_actions",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64)),
        sa.Column("project_id", sa.String(64)),
        sa.Column("message", sa.String(255)),
        sa.Column("start_time", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("finish_time", MOMENT),
        sa.Column("operation", sa.String(64)),
        sa.Column("generation", sa.Integer),
        sa.Column("context", sa.Text),
        sa.Column("due_at", MOMENT),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instance_actions"),
    )
    op.create_index("ix_instance_actions_instance", "instance_actions", ["instance_uuid", "request_id"])
    op.create_index("ix_instance_actions_due_at", "instance_actions", ["due_at"])
    op.create_table(
        "instance_action_events",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("action_id", BIG_ID, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("start_time", MOMENT, nullable=False),
        sa.Column("finish_time", MOMENT),
        sa.Column("result", sa.String(32)),
        sa.Column("traceback", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_instance_action_events"),
        sa.ForeignKeyConstraint(
            ["action_id"], ["instance_actions.id"], name="fk_instance_action_events_action_id_instance_actions"
        ),
    )
    op.create_index("ix_instance_action_events_action_id", "instance_action_events", ["action_id"])
    op.create_table(
        "instance_faults",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("message", sa.String(255), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instance_faults"),
    )
    op.create_index("ix_instance_faults_instance_uuid", "instance_faults", ["instance_uuid"])
    op.create_table(
        "services",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("binary", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("availability_zone", sa.String(255), nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.String(255)),
        sa.Column("forced_down", sa.Boolean, nullable=False),
        sa.Column("report_count", sa.Integer, nullable=False),
        sa.Column("last_seen_up", MOMENT),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
        sa.UniqueConstraint("uuid", name="uq_services_uuid"),
        sa.UniqueConstraint("host", "binary", name="uq_services_host_binary"),
    )
    op.create_table(
        "compute_nodes",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("hypervisor_hostname", sa.String(255), nullable=False),
        sa.Column("hypervisor_type", sa.String(64), nullable=False),
        sa.Column("hypervisor_version", sa.Integer, nullable=False),
        sa.Column("vcpus", sa.Integer, nullable=False),
        sa.Column("memory_mb", sa.Integer, nullable=False),
        sa.Column("local_gb", sa.Integer, nullable=False),
        sa.Column("vcpus_used", sa.Integer, nullable=False),
        sa.Column("memory_mb_used", sa.Integer, nullable=False),
        sa.Column("local_gb_used", sa.Integer, nullable=False),
        sa.Column("cpu_allocation_ratio", sa.Float, nullable=False),
        sa.Column("ram_allocation_ratio", sa.Float, nullable=False),
        sa.Column("disk_allocation_ratio", sa.Float, nullable=False),
        sa.Column("host_ip", sa.String(39), nullable=False),
        sa.Column("cpu_info", sa.Text, nullable=False),
        sa.Column("image_properties", sa.Text, nullable=False),
        sa.Column("running_vms", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_compute_nodes"),
        sa.UniqueConstraint("uuid", name="uq_compute_nodes_uuid"),
        sa.UniqueConstraint("host", name="uq_compute_nodes_host"),
    )
    op.create_table(
        "allocations",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("vcpus", sa.Integer, nullable=False),
        sa.Column("memory_mb", sa.Integer, nullable=False),
        sa.Column("disk_gb", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", name="pk_allocations"),
    )
    op.create_index("ix_allocations_host", "allocations", ["host"])
    op.create_table(
        "fixed_ips",
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("address", sa.String(39), nullable=False),
        sa.Column("mac_address", sa.String(17), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("network", "position", name="pk_fixed_ips"),
        sa.UniqueConstraint("instance_uuid", "network", name="uq_fixed_ips_instance_uuid_network"),
    )
    op.create_table(
        "flavors",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("flavor_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("memory_mb", sa.Integer, nullable=False),
        sa.Column("vcpus", sa.Integer, nullable=False),
        sa.Column("root_gb", sa.Integer, nullable=False),
        sa.Column("ephemeral_gb", sa.Integer, nullable=False),
        sa.Column("swap_mb", sa.Integer, nullable=False),
        sa.Column("rxtx_factor", sa.Float, nullable=False),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("extra_specs", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flavors"),
        sa.UniqueConstraint("flavor_id", name="uq_flavors_flavor_id"),
        sa.UniqueConstraint("name", name="uq_flavors_name"),
    )
    op.create_table(
        "flavor_projects",
        sa.Column("flavor_id", sa.String(255), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("flavor_id", "project_id", name="pk_flavor_projects"),
        sa.ForeignKeyConstraint(
            ["flavor_id"], ["flavors.flavor_id"], name="fk_flavor_projects_flavor_id_flavors", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "key_pairs",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(255), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_pairs"),
        sa.UniqueConstraint("user_id", "name", name="uq_key_pairs_user_id_name"),
    )
    op.create_table(
        "identities",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_identities"),
    )
    op.create_table(
        "request_specs",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
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
