from mininova.standins.glance.db import SCHEMA
from mininova.standins.glance.db.models import metadata
from tests.fixtures.every_database import differences


def test_the_migrations_lead_to_the_models(blank):
    """A database that was upgraded has the very tables, columns, indexes and constraints of the models."""
    SCHEMA.upgrade(blank)
    assert differences(blank, metadata) == []
