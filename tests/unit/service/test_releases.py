"""The table of releases agrees with this code and its recorded versions."""

from itertools import pairwise

from mininova.rpc import Version
from mininova.service.releases import RELEASES
from tests.fixtures.fingerprints import interfaces, versioned

NAMES = list(RELEASES)


def test_the_last_release_is_this_code():
    """A commit that raises a version writes it into the table, too."""
    ours = {interface.topic: interface.version for interface in interfaces().values()}
    ours |= {name: cls.version for name, cls in versioned().items()}

    assert RELEASES[NAMES[-1]] == ours


def spoken_less(releases):
    """Name the interfaces whose version is older in a release than in the one before it."""
    return [
        f"{name} of {after}"
        for before, after in pairwise(releases)
        for name, version in releases[before].items()
        if Version.parse(releases[after][name]) < Version.parse(version)
    ]


def test_no_release_speaks_less_than_the_one_before():
    """A minor only adds."""
    assert spoken_less(RELEASES) == []
    assert spoken_less({"acrux": {"lamp": "1.9"}, "bellatrix": {"lamp": "1.2"}}) == ["lamp of bellatrix"]


def test_the_names_go_by_the_alphabet():
    """So that the newer of two is known by its name."""
    assert sorted(NAMES) == NAMES
