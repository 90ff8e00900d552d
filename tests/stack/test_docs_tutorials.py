"""The tutorials work: each of their steps does, on a real broker, what the page says that it does."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kombu
import pytest
import tutorial
from documentation import ROOT

from tests.fixtures.terminals import Terminals

PAGES_BROKER = "guest:guest@127.0.0.1:5672"
QUEUES = ("meter", "meter.dead", "meter-agent.host-1", "meter-agent.host-2", "greeter")


@pytest.fixture
def broker(private_broker: Any) -> str:
    """Give the address of a broker that has none of the queues that are told of."""
    with kombu.Connection(private_broker.url) as connection:
        for queue in QUEUES:
            connection.default_channel.queue_delete(queue)
    return str(private_broker.url)


@pytest.mark.parametrize("page", tutorial.TUTORIALS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_tutorial_can_be_followed(page: Path, broker: str, tmp_path: Path):
    """All that a page has its reader do works in the order of the page, and gives what the page shows."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "examples"),
        "PYTHONUNBUFFERED": "yes",  # as in a terminal
        "PYTHONWARNINGS": "ignore",
    }
    here = {PAGES_BROKER: urlsplit(broker).netloc}
    here |= {f"metering.{name} ": f"metering.{name} --broker {broker} " for name in ("server", "agent", "ask")}
    terminals = Terminals(tmp_path, environment, here)
    try:
        for step in tutorial.steps(page):
            terminals.play(step)
    finally:
        terminals.close()
