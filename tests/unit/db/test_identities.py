"""The recorded identities of compute processes, and the hosts that they may act for."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors
from mininova.db import identities
from mininova.trust.identities import Identity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RACK = Identity("compute.rack", "compute", ("a", "b"))


@pytest.fixture
def tx(db):
    """Give a transaction in which an identity is recorded."""
    with db.write() as tx:
        identities.record(tx, RACK.name, RACK.hosts, NOW)
        yield tx


def test_a_recorded_identity_is_found(tx):
    """An identity is found by its name, and in the list."""
    assert identities.get(tx, RACK.name) == RACK
    assert identities.get(tx, "compute.a") is None
    assert identities.search(tx) == [RACK]


def test_recorded_again_it_has_a_new_password_and_other_hosts(tx):
    """A repeated record changes the password and the hosts of the same identity."""
    later = NOW + timedelta(days=1)
    identities.record(tx, RACK.name, ["c"], later)
    (known,) = identities.recorded(tx)
    assert known.identity.hosts == ("c",)
    assert (known.created_at, known.rotated_at) == (NOW, later)


@pytest.mark.parametrize(("name", "hosts"), [("x", ["a"]), ("x", ["c", "b"]), ("x", ["rack"]), ("a", ["c"])])
def test_an_identity_cannot_take_anothers_host(tx, name, hosts):
    """An identity can have neither another's hosts, nor the name of another's host."""
    with pytest.raises(errors.HostHasIdentity, match=r"compute\.rack stands for"):
        identities.record(tx, f"compute.{name}", hosts, NOW)


def test_a_removed_identity_is_gone(tx):
    """A removed identity is not listed, and cannot be removed again."""
    identities.remove(tx, RACK.name)
    assert identities.search(tx) == []
    with pytest.raises(errors.IdentityNotFound, match=r"compute\.rack"):
        identities.remove(tx, RACK.name)
