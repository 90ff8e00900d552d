"""A compute may renew its password on the broker: the hash that the broker is to keep stands with its identity."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let an identity have a hash; of one that was recorded before, none is known until its password changes."""
    op.add_column("identities", sa.Column("password_hash", sa.String(64)))
