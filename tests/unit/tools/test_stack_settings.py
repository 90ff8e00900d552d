"""What the MININOVA_ variables mean, and which of them a home stores."""

import pytest
from stack import settings
from stack.errors import StackError


def test_defaults(home):
    """Without any variable there are three computes, and the API where Nova's is."""
    wanted = settings.from_environment({}, home)

    assert wanted.computes == {name: name for name in ("host-1", "host-2", "host-3")}
    assert wanted.api_port == 8774
    assert wanted.broker_port not in (5672, wanted.api_port)
    assert (wanted.flow, wanted.first_boot) == (True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MININOVA_API_PORT", "eighty"),
        ("MININOVA_API_PORT", "70000"),
        ("MININOVA_BROKER_PORT", "0"),
        ("MININOVA_COMPUTES", "0"),
        ("MININOVA_COMPUTES", "-1"),
        ("MININOVA_CONDUCTORS", "0"),
        ("MININOVA_HOSTS_PER_COMPUTE", "0"),
        ("MININOVA_HOSTS_PER_COMPUTE", "5001"),
        ("MININOVA_HOSTS_PER_COMPUTE", "many"),
        ("MININOVA_BROKER_URL", "http://localhost/"),
        ("MININOVA_DB_URL", "mininova.sqlite"),
        ("MININOVA_FLOW", "yes"),
        ("MININOVA_CONTROL_API", "on"),
        ("MININOVA_VIF_EVENTS", "on"),
        ("MININOVA_TLS", "on"),
        ("MININOVA_METRICS_PORT", "on"),
        ("MININOVA_CONCURRENCY", "fibers"),
        ("MININOVA_BROKER", "carrier-pigeon"),
        ("MININOVA_IDENTITY", "ldap"),
        ("MININOVA_IMAGE", "s3"),
        ("MININOVA_PASTE_CONFIG", "/nowhere/paste.ini"),
        ("MININOVA_PYTHONPATH", "/nowhere"),
    ],
)
def test_an_invalid_value_is_refused_by_name(home, name, value):
    """The error quotes the variable and the value in one line."""
    with pytest.raises(StackError) as refusal:
        settings.from_environment({name: value}, home)

    assert name in str(refusal.value)
    assert repr(value) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_tls_is_for_the_private_broker(home):
    """A given broker's URL says whether it speaks TLS, so a start with both is refused."""
    asked = {"MININOVA_TLS": "1", "MININOVA_BROKER_URL": "amqp://me:hush@10.1.1.1/"}

    with pytest.raises(StackError, match=r"MININOVA_TLS .* MININOVA_BROKER_URL") as refusal:
        settings.from_environment(asked, home)

    assert "hush" not in str(refusal.value)


def test_the_settings_of_a_start_are_stored(home):
    """A later command reads the settings of the start in the home."""
    asked = {"MININOVA_API_PORT": "18774", "MININOVA_COMPUTES": "1", "MININOVA_TLS": "1"}
    wanted = settings.from_environment(asked, home)

    settings.save(home, wanted)

    assert settings.load(home) == wanted
    assert [settings.count_start(home), settings.count_start(home)] == [1, 2]
    assert settings.load(home) == wanted


def test_an_added_compute_comes_back(home):
    """A compute that was added is in the home: the next start has it, whatever the number of computes."""
    settings.save(home, settings.from_environment({"MININOVA_COMPUTES": "2"}, home))
    settings.add_compute(home, "edge")

    assert list(settings.load(home).computes) == ["host-1", "host-2", "edge"]
    assert list(settings.from_environment({"MININOVA_COMPUTES": "1"}, home).computes) == ["host-1", "edge"]
    racks = settings.from_environment({"MININOVA_COMPUTES": "1", "MININOVA_HOSTS_PER_COMPUTE": "2"}, home)
    assert racks.computes == {"rack-1": "rack-1-[1-2]", "edge": "edge"}


def test_a_home_without_a_start_says_so(home):
    """The error says how to start a stack."""
    with pytest.raises(StackError, match=r"No stack was ever started .* tools/stack\.sh"):
        settings.load(home)
