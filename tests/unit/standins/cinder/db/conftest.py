"""The tables of the stand-in, on each kind of database."""

from tests.fixtures.every_database import blank, db, race, tx

__all__ = ["blank", "db", "race", "tx"]
