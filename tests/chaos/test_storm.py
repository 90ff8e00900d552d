"""A short storm on a real stack on each database: processes are killed and cut off (tools/chaos.py has long ones)."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from storm.plan import DATABASE, KILL, LOSE_DISK
from storm.run import run

from tests.fixtures.checked_stack import Checks
from tests.fixtures.private_databases import MARIADB, POSTGRESQL, SQLITE


@pytest.fixture
def home() -> Iterator[Path]:
    """Give the path of a home, which is short for the sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checks:
    """Have the storm's api check its answers."""
    made = Checks(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.mark.parametrize(
    ("database", "seed", "ways"),
    [(SQLITE, 24, {""}), (POSTGRESQL, 207, {"", DATABASE}), (MARIADB, 253, {"", DATABASE})],
)
def test_all_agrees_after_a_storm(
    rabbitmq_server: Path, home: Path, checks: Checks, database: str, seed: int, ways: set[str]
):
    """What was acknowledged has happened, nothing is half done or left over, and each service ends when it is asked to.

    With these seeds a service is killed, one is asked to end, the broker loses its disk, and a database server is away
    and is cut off from a service.  Every answer is one that Nova gives.
    """
    report = run(home, seed, operations=80, kills=8, computes=2, database=database)

    assert report.is_good, "\n".join(report.lines())
    assert {request.outcome for request in report.requests} >= {"acknowledged", "refused"}
    assert {fault.kind for fault in report.faults} >= {KILL, LOSE_DISK}
    assert {fault.way for fault in report.faults} >= ways
    assert report.drained
    assert checks.has_begun
    checks.fail_if_broken()
