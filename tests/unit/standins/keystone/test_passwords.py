from mininova.standins.keystone import passwords


def test_right_password():
    """A password matches what was kept of it, and no other password does."""
    kept = passwords.hash_password("sesame")
    assert passwords.matches("sesame", kept)
    assert not passwords.matches("Sesame", kept)


def test_kept_is_not_the_password():
    """What is kept of a password does not show it, and differs each time."""
    first, second = passwords.hash_password("sesame"), passwords.hash_password("sesame")
    assert "sesame" not in first
    assert first != second


def test_nobody():
    """Where there is nothing to compare with, no password matches, not even that of the decoy."""
    assert not passwords.matches("nobody has this password", None)


def test_garbage_is_no_password():
    """What is no hash matches nothing, and is no accident either."""
    assert not passwords.matches("sesame", "plain text")


def test_nobody_costs_the_same():
    """The decoy is hashed with the very parameters of everybody else, so that time tells nothing."""
    parameters = passwords.hash_password("x").rsplit("$", 2)[0]
    assert passwords._NO_USER.startswith(parameters)
