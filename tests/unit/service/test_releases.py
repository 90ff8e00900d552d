"""The table of releases is what this code and its recorded promises say."""

from itertools import pairwise

import pytest

from mininova.rpc import Version
from mininova.service.releases import RELEASES
from tests.fixtures.fingerprints import interfaces, versioned

NAMES = list(RELEASES)


def test_the_last_release_is_this_code():
    """Whoever raises a version writes it into the table, too."""
    ours = {interface.topic: interface.version for interface in interfaces().values()}
    ours |= {name: cls.version for name, cls in versioned().items()}

    assert RELEASES[NAMES[-1]] == ours


@pytest.mark.parametrize(("older", "newer"), list(pairwise(NAMES)))
def test_no_release_speaks_less_than_the_one_before(older: str, newer: str):
    """A minor only adds."""
    for name, version in RELEASES[older].items():
        assert Version.parse(RELEASES[newer][name]) >= Version.parse(version), name


def test_the_names_go_by_the_alphabet():
    """So that everybody knows which is the newer one."""
    assert sorted(NAMES) == NAMES
