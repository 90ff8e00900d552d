"""The tables of the stand-in for Neutron, and the queries on them."""

from pathlib import Path

from mininova.db.schema import Schema
from mininova.standins.neutron.db.models import metadata

SCHEMA = Schema("neutron", Path(__file__).parent / "migrations", metadata, "alembic_version_neutron")
