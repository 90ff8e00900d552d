"""The fixture ``api`` for these tests, and Nova's contract, which its answers must keep."""

import pytest

from tests.fixtures.api_harness import api, db, make_api
from tests.fixtures.nova_contract import Contract, load

__all__ = ["api", "contract", "db", "make_api"]


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Give Nova's contract."""
    return load()
