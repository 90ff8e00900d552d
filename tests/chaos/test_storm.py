"""A short storm on a real stack: its processes are killed and cut off, as tools/chaos.py does it at length."""

import shutil
import tempfile
from pathlib import Path

import pytest
from storm.run import run

SEED = 7


@pytest.fixture
def home():
    """Give the path of a home, which is short for the sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    yield folder / "home"
    shutil.rmtree(folder)


def test_all_agrees_after_a_storm(rabbitmq_server, home):
    """What was acknowledged has happened, nothing is half done or left over, and no process was given up."""
    report = run(home, seed=SEED, operations=80, kills=6, computes=2)

    assert report.is_good, "\n".join(report.lines())
    assert {request.outcome for request in report.requests} >= {"acknowledged", "refused"}
    assert len(report.faults) >= 4
