"""The tables of the stand-in for Glance, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema
from mininova.standins.glance.db.models import metadata

SCHEMA = Schema("glance", Path(__file__).parent / "migrations", metadata, "alembic_version_glance")
