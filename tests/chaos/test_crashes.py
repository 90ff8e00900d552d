"""A crash at any step of any process, while messages are lost: every seed ends as it must (simulation.py)."""

import pytest

from tests.chaos.simulation import play

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_was_accepted_ends(seed: int):
    """No operation is open, no guest or claim is astray, and each failure has a reason; see Run.wrong."""
    assert play(seed).found == []
