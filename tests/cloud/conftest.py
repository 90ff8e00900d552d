"""A cloud for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.cloud import Cloud
from tests.fixtures.compiled import Compiled


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Keep the tokens of the users that every cloud begins with: a password takes 60 ms to check."""
    return {}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder where each cloud is made anew."""
    return tmp_path_factory.mktemp("cloud") / "of-a-test"


@pytest.fixture(scope="session")
def compiled(place: Path) -> Compiled:
    """Give what makes the clouds' databases: half of a cloud's time would go into compiling its statements anew."""
    return Compiled(f"sqlite:///{place}/mininova.sqlite")


@pytest.fixture
def make_cloud(place: Path, compiled: Compiled, tokens: dict[str, str]) -> Iterator[Callable[..., Cloud]]:
    """Make a cloud with other hosts or another behaviour."""
    made: list[Cloud] = []
    place.mkdir()

    def make(**how: Any) -> Cloud:
        made.append(Cloud(place, db=compiled.database(), **how))
        made[-1].tokens.update(tokens)
        return made[-1]

    yield make
    for cloud in made:
        tokens.update({user: token for user, token in cloud.tokens.items() if user in ("admin", "demo")})
        cloud.db.close()
    shutil.rmtree(place)


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud of two hosts where everything works."""
    return make_cloud()
