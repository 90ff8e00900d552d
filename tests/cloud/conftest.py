"""A cloud for each test."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mininova import plugins
from tests.fixtures.cloud import Cloud


@pytest.fixture(scope="session", autouse=True)
def installed() -> Iterator[None]:
    """Look once at what is installed: a look takes 11 ms, and a cloud has six."""
    with mock.patch.object(plugins, "entry_points", cache(lambda group: entry_points(group=group))):
        yield


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Keep the tokens of the users that every cloud begins with: a password takes 60 ms to check."""
    return {}


@pytest.fixture
def make_cloud(tmp_path: Path, tokens: dict[str, str]) -> Iterator[Callable[..., Cloud]]:
    """Make a cloud with other hosts or another behaviour."""
    made: list[Cloud] = []

    def make(**how: Any) -> Cloud:
        made.append(Cloud(tmp_path, **how))
        made[-1].tokens.update(tokens)
        return made[-1]

    yield make
    for cloud in made:
        tokens.update({user: token for user, token in cloud.tokens.items() if user in ("admin", "demo")})
        cloud.db.close()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud of two hosts where everything works."""
    return make_cloud()
