from mininova.standins.keystone import passwords


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
    parameters = passwords.hash_password("x").rsplit("$", 2)[0]
    assert passwords._NO_USER.startswith(parameters)
