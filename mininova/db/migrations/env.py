"""What Alembic runs in order to migrate: everything happens on the connection that mininova/db/schema.py opened."""

from alembic import context

from mininova.db.models import compute  # noqa: F401 - they bring their tables into the metadata
from mininova.db.models.base import metadata
from mininova.standins.glance.db import models as images  # noqa: F401
from mininova.standins.keystone.db import models as identity  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
