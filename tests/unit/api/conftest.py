"""The api that the tests here talk to."""

from api_harness import api, db, make_api

__all__ = ["api", "db", "make_api"]
