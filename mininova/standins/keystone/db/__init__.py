"""The tables of the stand-in for Keystone, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema
from mininova.standins.keystone.db.models import metadata

SCHEMA = Schema("keystone", Path(__file__).parent / "migrations", metadata, "alembic_version_keystone")
