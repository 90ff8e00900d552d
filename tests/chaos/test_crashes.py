"""A crash at any step of any process, while messages are lost: every seed ends as it must (simulation.py)."""

import os
import random
import subprocess
import sys

import pytest

from tests.chaos.crashes import Crash, Crashes
from tests.chaos.simulation import play
from tests.chaos.stage import stage

SEEDS = range(300)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_was_accepted_ends(seed: int):
    """No operation is open, no guest or claim is astray, each failure has a reason, and no clock but ours was read."""
    assert play(seed).found == []


class CrashOfACompute(Crashes):
    """Has host-1 crash now, and at its next step.

    :ivar is_due: whether it is still to
    """

    is_due = False

    def crash(self):
        self._kill(self._cloud.peers["compute.host-1"].transport)

    def step(self, *what):
        if self.is_due and self._running[-1] is self._cloud.peers["compute.host-1"].transport:
            self.is_due = False
            self.crash()
            raise Crash
        super().step(*what)


def test_a_process_that_ends_while_it_starts_is_started_again():
    """While it waits for the answer to its first report it answers the api, and ends of that: the api does not."""
    with stage().cloud(0, hosts=("host-1",)) as cloud:
        uuid = cloud.boot()
        cloud.run()
        crashes = CrashOfACompute(cloud, random.Random(0))
        with crashes.happening():
            crashes.crash()
            crashes.is_due = True
            answer = cloud.request("POST", f"/servers/{uuid}/action", {"os-getConsoleOutput": {}})
    assert answer.status_code == 200
    assert crashes.happened == {"compute.host-1": 2}


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_played_the_same_way_again(hash_seed: str):
    """Every step is the same, bytes and moments: after other seeds, and in a process that orders its sets otherwise."""
    command = [sys.executable, "-m", "tests.chaos.simulation", "--first", "3", "--seeds", "2", "--digests"]
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    printed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    traces = {seed: play(seed).crashes.trace for seed in (4, 3)}
    assert printed.splitlines()[:2] == [
        f"seed {seed}: {traces[seed].digest} after {traces[seed].steps} steps" for seed in (3, 4)
    ]


def test_another_seed_is_played_another_way():
    """What the test above compares depends on the seed."""
    assert len({play(seed).crashes.trace.digest for seed in range(3)}) == 3
