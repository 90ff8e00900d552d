"""The tables of the stand-in for Cinder, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema
from mininova.standins.cinder.db.models import metadata

SCHEMA = Schema("cinder", Path(__file__).parent / "migrations", metadata, "alembic_version_cinder")
