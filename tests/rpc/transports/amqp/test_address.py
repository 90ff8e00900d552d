"""Broker URLs as oslo.messaging writes them."""

import pytest

from mininova.rpc.transports.amqp.address import Address, addresses


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("amqp://h", [Address(host="h", port=5672)]),
        ("amqps://h", [Address(host="h", port=5671, tls=True)]),
        ("rabbit://h:1/", [Address(host="h", port=1)]),
        ("amqp://u:p@h/v", [Address(host="h", port=5672, user="u", password="p", virtual_host="v")]),
        ("amqp://h//", [Address(host="h", port=5672)]),
        ("amqp://h/%2Fv", [Address(host="h", port=5672, virtual_host="/v")]),
        ("amqp://a%40b:x%2Cy%2F@h", [Address(host="h", port=5672, user="a@b", password="x,y/")]),
        ("amqp://[::1]:7,[::2]/", [Address(host="::1", port=7), Address(host="::2", port=5672)]),
        (
            "amqps://u:p@h1:1,u:q@h2/v",
            [
                Address(host="h1", port=1, user="u", password="p", virtual_host="v", tls=True),
                Address(host="h2", port=5671, user="u", password="q", virtual_host="v", tls=True),
            ],
        ),
    ],
)
def test_what_a_url_means(url: str, found: list[Address]):
    """Scheme, user, password, host, port and virtual host; one address for each host."""
    assert addresses(url) == found


def test_an_address_is_shown_without_its_password():
    """The address stands in error messages and in the log."""
    (address,) = addresses("amqp://u:hush@[::1]:7/")

    assert str(address) == "[::1]:7"
    assert "hush" not in repr(address)
