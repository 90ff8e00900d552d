"""The instances that have a volume are found by it."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_block_devices_volume", "block_devices", ["volume_id"])
