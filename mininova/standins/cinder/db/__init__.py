"""The tables of the stand-in for Cinder, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema

SCHEMA = Schema("cinder", Path(__file__).parent / "migrations", version_table="alembic_version_cinder")
