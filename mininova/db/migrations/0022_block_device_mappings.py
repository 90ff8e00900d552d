"""What a new instance asked for is kept of each of its volumes, for some are made when it is built."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column; all volumes that instances have were attached later."""
    op.add_column("block_devices", sa.Column("asked", sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")))
