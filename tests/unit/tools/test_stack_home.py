"""The state folder is private, and a folder with other contents is left alone."""

import stat

import pytest
from stack.errors import StackError
from stack.home import Home


def mode(path):
    """Give the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_and_its_secrets_are_for_its_user_only(home):
    """Other users cannot look into the folder, and the files with secrets have permissions of their own."""
    home.secret("broker")

    assert mode(home.root) == 0o700
    assert mode(home.run) == 0o700
    assert mode(home.root / "secrets.json") == 0o600


def test_a_secret_stays_what_it_is(home):
    """A secret keeps its value; secrets of other names differ."""
    assert home.secret("broker") == Home(home.root).secret("broker")
    assert home.secret("broker") != home.secret("password of demo")


def test_a_folder_with_other_things_is_refused(tmp_path):
    """A folder with a user's files is not used, closed to others or removed."""
    (tmp_path / "diary.txt").write_text("dear diary")
    before, home = mode(tmp_path), Home(tmp_path)

    with pytest.raises(StackError, match="MININOVA_HOME"):
        home.create()
    with pytest.raises(StackError, match="left as it is"):
        home.remove()

    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
    assert mode(tmp_path) == before


def test_a_removed_home_is_gone(tmp_path):
    """Removing takes the folder with everything in it, and the sockets' folder wherever that is."""
    home = Home(tmp_path / ("long" * 30))
    home.create()
    assert not home.run.is_relative_to(home.root)

    home.remove()

    assert not home.root.exists()
    assert not home.run.exists()


def test_a_home_is_made_anew_where_one_was(home):
    """Making a home again keeps what it holds."""
    secret = home.secret("broker")

    home.create()

    assert home.secret("broker") == secret


def test_two_commands_do_not_change_a_stack_at_once(home):
    """While one command works on a home, another one is refused with a line."""
    with home.locked(), pytest.raises(StackError, match="at work"), Home(home.root).locked():
        pass
    with home.locked():
        pass
