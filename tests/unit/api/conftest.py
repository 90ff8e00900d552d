"""The api that the tests here talk to."""

from tests.fixtures.api_harness import api, db, make_api

__all__ = ["api", "db", "make_api"]
