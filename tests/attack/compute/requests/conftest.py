"""The attacks that are a message to the conductor: each is tried in a cloud in this process, and at a broker."""

import pytest


@pytest.fixture(scope="session", params=["memory", "broker"])
def world(request):
    """Give one world after the other."""
    return request.getfixturevalue(f"{request.param}_world")
