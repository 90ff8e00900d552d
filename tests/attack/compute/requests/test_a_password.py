"""Having the broker take another password for it."""

import pytest

from mininova.trust.broker import definitions

RENEW = "renew_password"

in_memory = pytest.mark.parametrize("world", ["memory"], indirect=True)  # no password is renewed on the stack


@pytest.fixture
def shut_out(world):
    """Give a compute that an operator gives another password."""
    yield world.add_host("rotated")
    world.remove_host("rotated")


@pytest.mark.parametrize("hashed", ["", '"tags": "administrator"', "x" * 10_000], ids=["none", "more", "long"])
def test_a_hash(attacker, observe, hashed):
    """Has the broker take what no password leads to, or more than a password."""
    with observe():
        attacker.ask(RENEW, {"password_hash": hashed, "instead_of_password": ""}, version="1.1")


@in_memory
def test_at_once(world, shut_out, observe):
    """Has its password renewed as soon as it has one, so that the operator's tool works all the time."""
    args = {"password_hash": definitions.password_hash("secret"), "instead_of_password": ""}
    has = shut_out.ask(RENEW, args, version="1.1").result["password_hash"]
    with observe(by=shut_out):
        shut_out.ask(RENEW, args | {"instead_of_password": has}, version="1.1")
    assert world.cloud.users == []
