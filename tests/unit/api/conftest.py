"""The fixture ``api`` for these tests."""

from tests.fixtures.api_harness import api, db, make_api

__all__ = ["api", "db", "make_api"]
