"""Which versions a service sends to others, by its settings and by what they registered."""

import pytest

from mininova import rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.objects import REGISTRY
from mininova.service.releases import OLDEST, RELEASES
from mininova.service.upgrade_levels import UpgradeLevels, spoken

AUTO = {"compute": "auto", "conductor": "auto", "scheduler": "auto"}


def levels(**settings: str) -> UpgradeLevels:
    """Make levels; a topic without a pin is ``auto``."""
    return UpgradeLevels({**AUTO, **settings})


def test_the_registered_versions_are_sent():
    """With ``auto`` the registered versions count."""
    pins = levels()
    pins.learn({"compute": ["1.0", "1.2"], "Instance": ["1.1"]})

    assert pins() == {"compute": {"1.0", "1.2"}, "Instance": {"1.1"}}


def test_before_versions_are_known_the_oldest_release_is_sent():
    """Any service understands the oldest release."""
    assert levels()()["conductor"] == {RELEASES[OLDEST]["conductor"]}
    assert levels()()["Instance"] == {RELEASES[OLDEST]["Instance"]}


def test_a_service_that_can_read_what_is_registered_does_so_before_its_first_message():
    """Else a service that has just started would refuse, for the others, what they have long been able to do."""
    read = iter([{"compute": ["1.1"]}])  # once
    pins = UpgradeLevels(AUTO, lambda: next(read))

    assert (pins(), pins()) == ({"compute": {"1.1"}}, {"compute": {"1.1"}})


def test_without_registered_services_there_is_no_limit(caplog):
    """The first services of a cloud have no limit, and say so."""
    pins = levels()
    with caplog.at_level("INFO"):
        pins.learn({})

    assert pins() == {}
    assert caplog.messages == ["the other services speak nothing yet, for none has registered"]


def test_a_pinned_version_is_sent_beside_any_registered():
    """A pin by number is for one interface."""
    pins = levels(compute="1.3")
    pins.learn({"compute": ["1.0"], "conductor": ["1.1"], "Instance": ["1.4"]})

    assert pins() == {"compute": {"1.3"}, "conductor": {"1.1"}, "Instance": {"1.4"}}


def test_a_release_is_spoken_with_its_objects():
    """An object may travel on to other services, so each registered version of it counts beside the release's."""
    pins = levels(compute="acrux")
    pins.learn({"compute": ["1.9"], "conductor": ["1.9"], "Instance": ["1.9"]})

    assert pins()["compute"] == {"1.0"}
    assert pins()["conductor"] == {"1.9"}
    assert pins()["Instance"] == {"1.0", "1.9"}


@pytest.mark.parametrize("said", ["", "new", "1", "1.0 x", "1.0.0", "-1.0", "0.9", "2.0"])
def test_a_version_of_no_release_is_ignored(said: str):
    """A service that registers nonsense, or a version older than any release, must not stop the others."""
    pins = levels()
    pins.learn({"compute": [said, "1.0"], "Instance": [said], "no such thing": ["1.0"]})

    assert pins() == {"compute": {"1.0"}}


def test_pinned_topics_need_no_query():
    """If every topic is pinned, registered versions are not read."""

    def ask() -> rpc.Levels:
        raise AssertionError("no service is to be asked")

    levels(compute="1.0", conductor="acrux", scheduler="1.0").learn_from(ask)


def test_a_service_registers_what_it_serves_and_every_object():
    """Others learn from it what they may send."""
    assert spoken(ComputeAPI) == {"compute": ComputeAPI.version} | {name: it.version for name, it in REGISTRY.items()}
