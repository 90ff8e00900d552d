"""The tables of the stand-in for Neutron, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema

SCHEMA = Schema("neutron", Path(__file__).parent / "migrations", version_table="alembic_version_neutron")
