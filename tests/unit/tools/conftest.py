"""What the tests of the tools share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Give a home that is removed afterwards, with the folder of its sockets wherever that is."""
    home = Home(tmp_path / "home")
    home.create()
    yield home
    home.remove()
