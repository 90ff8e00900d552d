"""What is spoken to others, by setting and by what they registered."""

import pytest

from mininova import rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.objects import REGISTRY
from mininova.service.releases import OLDEST, RELEASES
from mininova.service.upgrade_levels import UpgradeLevels, spoken


def levels(**settings: str) -> UpgradeLevels:
    """Make levels; what is not set is ``auto``."""
    return UpgradeLevels({"compute": "auto", "conductor": "auto", "scheduler": "auto", **settings})


def test_what_is_registered_is_spoken():
    """With ``auto`` the services say it themselves."""
    pins = levels()
    pins.learn({"compute": ["1.0", "1.2"], "Instance": ["1.1"]})

    assert pins() == {"compute": {"1.0", "1.2"}, "Instance": {"1.1"}}


def test_until_it_is_known_the_oldest_release_is_spoken():
    """Whoever is there understands that."""
    assert levels()()["conductor"] == {RELEASES[OLDEST]["conductor"]}
    assert levels()()["Instance"] == {RELEASES[OLDEST]["Instance"]}


def test_where_nobody_is_registered_nothing_is_known():
    """The first services of a cloud speak as they can."""
    pins = levels()
    pins.learn({})

    assert pins() == {}


def test_a_version_is_spoken_whatever_is_registered():
    """A pin by number is about one interface."""
    pins = levels(compute="1.3")
    pins.learn({"compute": ["1.0"], "conductor": ["1.1"], "Instance": ["1.4"]})

    assert pins() == {"compute": {"1.3"}, "conductor": {"1.1"}, "Instance": {"1.4"}}


def test_a_release_is_spoken_with_its_objects():
    """What is sent to one service may travel on to others, so all that anybody knows of an object is heeded."""
    pins = levels(compute="acrux")
    pins.learn({"compute": ["1.9"], "conductor": ["1.9"], "Instance": ["1.9"]})

    assert pins()["compute"] == {"1.0"}
    assert pins()["conductor"] == {"1.9"}
    assert pins()["Instance"] == {"1.0", "1.9"}


@pytest.mark.parametrize("said", ["", "new", "1", "1.0 x", "1.0.0", "-1.0", "0.9", "2.0"])
def test_what_no_release_spoke_is_ignored(said: str):
    """A service that registers nonsense, or something older than any release, must not keep others from speaking."""
    pins = levels()
    pins.learn({"compute": [said, "1.0"], "Instance": [said], "no such thing": ["1.0"]})

    assert pins() == {"compute": {"1.0"}}


def test_nobody_is_asked_for_what_is_set():
    """Where every topic is pinned there is nothing to learn."""

    def ask() -> rpc.Levels:
        raise AssertionError("nobody is to be asked")

    levels(compute="1.0", conductor="acrux", scheduler="1.0").learn_from(ask)


def test_a_service_registers_what_it_serves_and_every_object():
    """So that others know what they may send to it."""
    assert spoken(ComputeAPI) == {"compute": ComputeAPI.version} | {name: it.version for name, it in REGISTRY.items()}
