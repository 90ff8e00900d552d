"""Each step of the tutorials does on a real broker what the page says."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kombu
import pytest
import tutorial
from documentation import ROOT
from stack import ports

from tests.fixtures.terminals import Terminals

EXAMPLE = ROOT / "examples/metering/README.md"  # for a broker that its reader has
QUEUES = ("meter", "meter.dead", "meter-agent.host-1", "meter-agent.host-2")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a reader's terminals; a broker that the tutorial starts ends with the test."""
    home = Path(tempfile.mkdtemp(prefix="mininova-"))
    given = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'examples'}{os.pathsep}{ROOT / 'tests/fixtures/as_in_a_terminal'}",
        "PYTHONWARNINGS": "ignore",
        "MININOVA_HOME": str(home / "stack"),
        "MININOVA_BROKER_PORT": str(ports.pick()),
    }
    yield given
    subprocess.run([ROOT / "tools/stack.sh", "broker", "stop", "--clean"], env=given, check=True)
    shutil.rmtree(home)


def play(page: Path, environment: dict[str, str], folder: Path, instead: dict[str, str]) -> None:
    """Do all steps of a page in order, and compare what it shows."""
    terminals = Terminals(folder, environment, instead)
    try:
        for step in tutorial.steps(page):
            terminals.play(step)
    finally:
        terminals.close()


@pytest.mark.parametrize(
    "page", [page for page in tutorial.TUTORIALS if page != EXAMPLE], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_tutorial_can_be_followed(page: Path, environment: dict[str, str], tmp_path: Path):
    """All of it works, from its first line on, with the broker that the page starts."""
    play(page, environment, tmp_path, {"../mininova/": f"{ROOT}/"})


def test_the_example_can_be_followed(private_broker: Any, environment: dict[str, str], tmp_path: Path):
    """Its commands name no broker; here each gets the tests' broker, without the queues that the page mentions."""
    with kombu.Connection(private_broker.url) as connection:
        for queue in QUEUES:
            connection.default_channel.queue_delete(queue)
    named = {
        f"metering.{name} ": f"metering.{name} --broker {private_broker.url} " for name in ("server", "agent", "ask")
    }
    play(EXAMPLE, environment, tmp_path, named)
