"""Key pairs belong to a user, who gives each one a name."""

import pytest

from mininova import errors
from mininova.db import keypairs
from mininova.db.keypairs import Keypair


def add(tx, name, user_id="ann"):
    return keypairs.create(tx, Keypair(user_id=user_id, name=name, fingerprint="aa:bb", public_key="ssh-rsa AAAA"))


def test_every_field_comes_back_as_it_went_in(tx):
    """A row holds all of a key pair; it gets an id and a moment."""
    keypair = keypairs.create(tx, Keypair(user_id="ann", name="k", fingerprint="f", public_key="p", type="x509"))
    assert keypair == Keypair(
        user_id="ann", name="k", fingerprint="f", public_key="p", type="x509", id=1, created_at=keypair.created_at
    )
    assert keypairs.get(tx, "ann", "k") == keypair


def test_a_name_is_taken_once_for_each_user(tx):
    """Two users may have keys of the same name."""
    add(tx, "k")
    add(tx, "k", "bob")
    with pytest.raises(errors.KeyPairExists, match="'k' already"):
        add(tx, "k")


def test_an_unknown_keypair_is_not_found(tx):
    """Another user's key is not found either."""
    add(tx, "k", "bob")
    for ask in (keypairs.get, keypairs.delete):
        with pytest.raises(errors.KeypairNotFound, match="k not found for user ann"):
            ask(tx, "ann", "k")


def test_a_deleted_keypair_is_gone(tx):
    """Only that key is deleted."""
    add(tx, "k")
    add(tx, "k", "bob")
    keypairs.delete(tx, "ann", "k")
    assert keypairs.search(tx, "ann") == []
    assert len(keypairs.search(tx, "bob")) == 1


def test_lists(tx):
    """A user's keys are listed by name, in pages; the marker is one of the user's own."""
    add(tx, "b", "bob")
    for name in ("c", "b", "a"):
        add(tx, name)
    add(tx, "d", "bob")

    def found(**wanted):
        return [keypair.name for keypair in keypairs.search(tx, "ann", **wanted)]

    assert found() == ["a", "b", "c"]
    assert found(limit=2) == ["a", "b"]
    assert found(marker="b") == ["c"]
    with pytest.raises(errors.InvalidInput, match=r"marker \[d\] not found"):
        found(marker="d")
