"""The settings of the broker take effect."""

from pathlib import Path

from mininova import conf
from mininova.rpc.transports.amqp.tls import TLS
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
