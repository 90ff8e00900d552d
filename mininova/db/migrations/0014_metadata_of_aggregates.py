"""A compute node keeps what its aggregates say of it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Write down what they say by now."""
    op.add_column("compute_nodes", sa.Column("aggregate_metadata", sa.Text))
    tx = op.get_bind()
    said: dict[str, dict[str, set[str]]] = {}
    for host, text in tx.execute(
        sa.text("SELECT host, metadata FROM aggregate_hosts JOIN aggregates ON aggregates.id = aggregate_id")
    ):
        for key, values in json.loads(text).items():
            said.setdefault(host, {}).setdefault(key, set()).update(value.strip() for value in values.split(","))
    for host, metadata in said.items():
        written = json.dumps({key: sorted(values) for key, values in metadata.items()})
        tx.execute(
            sa.text("UPDATE compute_nodes SET aggregate_metadata = :said WHERE host = :host"),
            {"said": written, "host": host},
        )
