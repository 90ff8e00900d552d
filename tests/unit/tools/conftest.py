"""Fixtures for the tests of the tools."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Give a home, which is removed afterwards with its folder of sockets."""
    home = Home(tmp_path / "home")
    home.create()
    yield home
    home.remove()
