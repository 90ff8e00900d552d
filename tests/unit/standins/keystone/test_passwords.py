import pytest

from mininova import errors
from mininova.standins.keystone import passwords
from mininova.standins.keystone.passwords import Passwords


def test_right_password():
    """The hash of a password matches that password only."""
    kept = passwords.hash_password("sesame")
    assert passwords.matches("sesame", kept)
    assert not passwords.matches("Sesame", kept)


def test_kept_is_not_the_password():
    """A hash does not show its password, and differs each time."""
    first, second = passwords.hash_password("sesame"), passwords.hash_password("sesame")
    assert "sesame" not in first
    assert first != second


def test_an_unknown_user_has_no_password():
    """For an unknown user no password matches, not even that of the decoy's hash."""
    assert not passwords.matches("nobody has this password", None)


def test_garbage_is_no_password():
    """A text that is not a hash matches nothing, and is no error."""
    assert not passwords.matches("sesame", "plain text")


def test_an_unknown_user_costs_the_same():
    """The decoy's hash has the parameters of every user's, so that the time does not differ."""
    parameters = passwords.hash_password("x", 64).rsplit("$", 2)[0]
    assert passwords._no_user(passwords._hasher(64)).startswith(parameters)


def test_a_hash_takes_so_much_memory():
    """It says how much itself: so one that was made before matches still when the settings are others."""
    few, many = Passwords(memory_kib=16).hash("sesame"), Passwords().hash("sesame")
    assert ("m=16," in few, "m=19456," in many) == (True, True)
    assert Passwords(memory_kib=16).matches("sesame", many)


def test_too_many_at_once_are_refused():
    """A request that finds all places taken is told to come back; one that fails gives its place back."""
    crowded = Passwords(at_once=1, max_waiting=1)
    with crowded.place(), crowded.place():
        with pytest.raises(errors.TooManyRequests) as refusal, crowded.place():
            pass
        assert refusal.value.details["headers"] == {"Retry-After": "1"}
    with pytest.raises(errors.Unauthorized), crowded.place():
        raise errors.Unauthorized
    with crowded.place(), crowded.place():
        assert crowded.matches("sesame", crowded.hash("sesame"))


def test_every_hash_is_made_aside():
    """What holds others up is handed on, for a comparison and for a new password."""
    asides = []
    aside = Passwords(lambda work: asides.append(work) or work())
    assert not aside.matches("sesame", None)
    assert aside.hash("sesame")
    assert len(asides) == 2
