"""A cloud for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.cloud import Cloud


@pytest.fixture
def make_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Make a cloud with other hosts or another behaviour."""
    made: list[Cloud] = []

    def make(**how: Any) -> Cloud:
        made.append(Cloud(tmp_path, **how))
        return made[-1]

    yield make
    for cloud in made:
        cloud.db.close()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud of two hosts where everything works."""
    return make_cloud()
