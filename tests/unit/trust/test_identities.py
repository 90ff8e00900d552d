"""The identity of a broker user."""

import pytest

from mininova.trust import identities
from mininova.trust.identities import Identity

HOSTS = {"compute.rack-7": ["a", "b"], "compute.gone": []}


def hosts_of(name):
    """Give the recorded hosts of a compute."""
    return HOSTS.get(name, [])


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("api", Identity("api", "api")),
        ("manage", Identity("manage", "operator")),
        ("flow", Identity("flow", "operator")),
        ("compute.rack-7", Identity("compute.rack-7", "compute", ("a", "b"))),
        ("compute.gone", None),
        ("compute.unknown", None),
        ("compute.", None),
        ("compute", None),
        ("guest", None),
        ("API", None),
        ("", None),
        (None, None),
    ],
)
def test_a_broker_user_has_an_identity_or_none(name, identity):
    """A service is known by its name, and a compute by its record; other users have no identity."""
    assert identities.of(name, hosts_of) == identity


def test_a_compute_stands_for_the_host_of_its_name():
    """A compute acts for the host of its own name, unless its record has others; each counts once."""
    assert identities.compute("host-1") == Identity("compute.host-1", "compute", ("host-1",))
    assert identities.compute("rack", ["a", "b", "a"]).hosts == ("a", "b")
    assert identities.compute("rack.7").process == "rack.7"


@pytest.mark.parametrize("name", ["", "a b", "a*", "#", "-a", "a-", ".a", "a_b", "a\n", "ä", "a" * 64, "a/b", "a.dead"])
def test_an_ambiguous_name_is_refused(name):
    """A host's name is a part of the names of queues, and of the broker's rules for them."""
    with pytest.raises(ValueError, match=r"is no name of a host|ends as the names of queues"):
        identities.compute(name, ["host"])
    with pytest.raises(ValueError, match=r"is no name of a host|ends as the names of queues"):
        identities.compute("host", [name])


@pytest.mark.parametrize("name", ["a.pause.5", "a.pause.0.5", "a.b.dead", "a.DEAD"])
def test_a_host_is_not_called_as_the_queues_of_another(name):
    """``compute.a.dead`` is where casts are parked for the host a."""
    with pytest.raises(ValueError, match=r"ends as the names of queues"):
        identities.compute(name)
