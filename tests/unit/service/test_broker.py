"""The settings of the broker take effect."""

import os
import re
from pathlib import Path

import pytest

from mininova import conf, errors
from mininova.rpc.transports.amqp.tls import TLS
from mininova.rpc.transports.kombu import KombuTransport
from mininova.service import broker

SETTINGS = """
[DEFAULT]
transport_url = amqps://nova:a%2Cb@one,nova:c@two:1/mininova
[oslo_messaging_rabbit]
ssl_ca_file = /etc/ca.pem
ssl_cert_file = /etc/us.pem
ssl_key_file = /etc/us.key
rabbit_quorum_queue = true
heartbeat_timeout_threshold = 7
"""


def test_settings_of_the_broker(tmp_path: Path):
    """They have Nova's names, in any service's file."""
    path = tmp_path / "a.conf"
    path.write_text(SETTINGS)

    transport = broker.transport(conf.load("compute", ["--config-file", str(path)], version="0.1.0"))

    assert transport.user_id == "nova"
    assert {str(address) for address in transport._addresses} == {"one:5671", "two:1"}
    assert transport.tls == TLS(ca_file="/etc/ca.pem", cert_file="/etc/us.pem", key_file="/etc/us.key")
    assert (transport.quorum, transport.heartbeat) == (True, 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {nth: 3}", r"losses.yaml, line 1: \[0\]: .*`method`"),
        ("- method: boot\n  nth: 0", r"line 2: \[0\].nth: .*>= 1"),
        ("rules:\n- {method: boot, time: 2}", r"line 2: rules\[0\]: .*`time`"),
        ("- {method: [boot]}", r"line 1: \[0\].method: Expected `str`"),
        ("7", r"line 1: the file: Expected `object`"),
        (None, r"losses.yaml cannot be read"),
    ],
)
def test_a_bad_file_of_losses(tmp_path: Path, text: str | None, said: str):
    """It keeps a service from starting, and the error has the line and the field."""
    path = tmp_path / "losses.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(errors.ConfigError, match=said):
        broker.losses(str(path), "api.ctl-1")


def test_the_file_of_losses_is_followed(tmp_path: Path):
    """The one that we ship loses nothing; its examples can be used, and count anew when they are written again."""
    assert broker.losses(None, "api.ctl-1") is None
    shipped = Path(broker.__file__).with_name("losses.yaml").read_text()
    path = tmp_path / "losses.yaml"
    path.write_text(shipped)
    losses = broker.losses(str(path), "api.ctl-1")
    assert losses is not None
    assert losses().strikes("conductor.ctl-1", "build_instance") is None
    for seconds in (1, 2):
        path.write_text(re.sub("^# ?", "", shipped[shipped.index("# - method") :], flags=re.MULTILINE))
        os.utime(path, (seconds, seconds))  # so that it looks changed, also to a file system with a coarse clock
        struck = [losses().strikes("conductor.ctl-1", "build_instance") for _ in range(4)]
        assert [bool(why) for why in struck] == [False, False, True, False]


def by_kombu(url: str, *, declares: bool = True, **settings: object) -> object:
    """Make the transport of an api."""
    return broker.transport(conf.for_tests("api", transport_url=url, **settings), declares=declares)


@pytest.mark.parametrize(
    ("url", "enforce"), [("kombu+amqp://api:x@one/", True), ("kombu+redis://one/0", False), ("kombu+memory://", False)]
)
def test_a_url_chooses_kombu(url: str, enforce: bool):
    """What begins with kombu+ goes by plain kombu."""
    assert isinstance(by_kombu(url, **{"identities.enforce": enforce}), KombuTransport)


@pytest.mark.parametrize("url", ["kombu+redis://one/0", "kombu+memory://"])
def test_a_broker_that_vouches_for_no_sender_enforces_no_identities(url: str):
    """The settings contradict each other, and the process does not start."""
    with pytest.raises(errors.ConfigError, match=r"does not say truly who sent a message.*use amqp://"):
        by_kombu(url)


def test_a_confined_compute_does_not_go_by_kombu():
    """It may not make what a transport by kombu makes."""
    with pytest.raises(errors.ConfigError, match="makes no exchanges"):
        by_kombu("kombu+amqp://compute.one:x@one/", declares=False)


def test_kombu_makes_no_quorum_queues():
    """What asks for them is refused."""
    with pytest.raises(errors.ConfigError, match="rabbit_quorum_queue"):
        by_kombu("kombu+amqp://api:x@one/", **{"oslo_messaging_rabbit.rabbit_quorum_queue": True})


def test_the_address_of_a_broker_is_that_of_its_users():
    """By kombu or not; where there are no users there is none."""
    assert broker.address(conf.for_tests("manage", transport_url="kombu+amqp://manage:x@one/v")).virtual_host == "v"
    with pytest.raises(errors.ConfigError, match="no broker with users"):
        broker.address(conf.for_tests("manage", transport_url="kombu+redis://one/0"))
