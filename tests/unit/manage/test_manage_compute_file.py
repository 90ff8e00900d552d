"""The configuration file of a compute; tests/stack shows that the commands write it, with a real broker."""

import pytest

from mininova import conf
from mininova.manage import compute_file
from mininova.trust import identities

RACK = identities.compute("rack", ["a", "b"])


def settings(**changed):
    """Give the settings of a controller."""
    return conf.for_tests("manage", **changed)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("amqp://manage:x@one/", "amqp://compute.rack:p%40ss@one/"),
        ("amqps://manage:x@one:5671/v%2Fh", "amqps://compute.rack:p%40ss@one:5671/v%2Fh"),
        ("rabbit://m:x@one:1,m:y@[::1]:2/v", "rabbit://compute.rack:p%40ss@one:1,compute.rack:p%40ss@[::1]:2/v"),
        ("amqp://one", "amqp://compute.rack:p%40ss@one"),
    ],
)
def test_a_compute_uses_our_brokers(ours, theirs):
    """The compute's URL has each of our brokers, with the compute's own user."""
    assert compute_file.url_for(settings(transport_url=ours), RACK, "p@ss") == theirs


def test_settings_that_all_must_share_are_copied(tmp_path):
    """Settings that all services must share are copied; defaults and the controller's own settings are not."""
    file = tmp_path / "compute.conf"
    changed = {
        "control_exchange": "nova",
        "flow.enabled": True,
        "oslo_messaging_notifications.topics": ["notifications", "billing"],
        "oslo_messaging_notifications.driver": ["messagingv2", "log"],
        "database.connection": "sqlite:////secret.sqlite",
    }

    compute_file.write(file, settings(**changed), RACK, "amqp://compute.rack:a$b@one/")

    read = conf.read_files("compute", [str(file)])
    assert (read.control_exchange, read.flow.enabled) == ("nova", True)
    assert read.transport_url == "amqp://compute.rack:a$b@one/"
    assert read.oslo_messaging_notifications.topics == ["notifications", "billing"]
    assert read.oslo_messaging_notifications.driver == ["messagingv2", "log"]
    assert "secret" not in file.read_text()
    assert "ssl_ca_file" not in file.read_text()


@pytest.mark.parametrize(("hosts", "listed"), [(["a", "b"], ("a", "b")), (["rack"], None), ([], None)])
def test_a_computes_file_has_its_name_and_its_hosts(tmp_path, hosts, listed):
    """The process is named after its broker user; a single host of that name is not listed."""
    file = tmp_path / "compute.conf"
    compute_file.write(file, settings(), identities.compute("rack", hosts), "amqp://compute.rack:p@one/")
    read = conf.read_files("compute", [str(file)])
    assert (read.host, read.compute.hosts) == ("rack", listed)


def test_a_file_without_an_address_gets_one(tmp_path):
    """The rest of the file stays."""
    file = tmp_path / "compute.conf"
    file.write_text("[fake]\nbehaviour = b.yaml\n")
    compute_file.write(file, settings(), RACK, "amqp://compute.rack:p@one/")
    read = conf.read_files("compute", [str(file)])
    assert (read.transport_url, read.fake.behaviour) == ("amqp://compute.rack:p@one/", "b.yaml")
