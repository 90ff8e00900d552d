"""The migrations of the volume service make the tables that its models describe."""

from mininova.standins.cinder.db import SCHEMA
from mininova.standins.cinder.db.models import metadata
from tests.fixtures.every_database import differences


def test_the_migrations_lead_to_the_models(blank):
    """An upgraded database has the same tables, columns, indexes and constraints as the models."""
    SCHEMA.upgrade(blank)
    assert differences(blank, metadata) == []
