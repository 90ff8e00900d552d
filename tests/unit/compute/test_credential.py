"""Which passwords a compute tries, and which it has renewed; the broker and a real conductor are in tests/wire."""

import logging
import stat
from pathlib import Path

import pytest

from mininova import errors
from mininova.compute.credential import Credential

LIFETIME = 1000.0


class World:
    """A compute, and a conductor that remembers what it is asked.

    :ivar has: the hash of the password that the conductor has recorded
    """

    def __init__(self, folder: Path) -> None:
        self.file, self.now, self.asked, self.has = folder / "state" / "passwords", 0.0, list[tuple[str, str]](), "x"

    def start(self, configured: str = "first", lifetime: float = LIFETIME) -> Credential:
        return Credential(self.file, configured, lifetime=lifetime, clock=lambda: self.now)

    def renew_password(self, ctxt: object, password_hash: str, instead_of: str) -> dict[str, str]:
        self.asked.append((password_hash, instead_of))
        if instead_of == self.has:
            self.has = password_hash
        return {"password_hash": self.has}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def compute(world: World) -> Credential:
    """Give a compute whose password is old."""
    started = world.start()
    started.worked("first")
    world.now += LIFETIME
    return started


def test_the_first_password(world: World):
    """It is the one of the configuration file, and is kept for its life."""
    compute = world.start()
    compute.renew(world)  # it has not logged in yet
    compute.worked("first")
    compute.renew(world)
    assert (compute.to_try(), world.asked) == (("first",), [])


def test_a_new_password_is_on_disk_before_it_is_asked_for(world: World, compute: Credential):
    """A compute that starts then tries it first, and the old one next."""
    seen = []
    world.renew_password = lambda *asked: seen.append(world.start().to_try()) or {"password_hash": ""}
    compute.renew(world)
    assert seen[0] == compute.to_try() == (compute.to_try()[0], "first")
    assert stat.S_IMODE(world.file.stat().st_mode) == 0o600


def test_the_password_that_it_has_is_named(world: World, compute: Credential):
    """The conductor tells its hash, and gets it back with the second request; no password is in either."""
    compute.renew(world)
    (first, nothing), (second, named) = world.asked
    assert (nothing, named) == ("", "x")
    assert first == second
    assert first not in compute.to_try()


def test_a_password_that_was_not_good_yet_is_asked_for_again(world: World, compute: Credential):
    """The same one, with the same hash, also after a restart."""
    compute.renew(world)
    before = compute.to_try()
    again = world.start()
    again.worked("first")
    again.renew(world)
    assert again.to_try() == before
    assert world.asked[-1][0] == world.asked[0][0]


def test_a_password_that_was_good_replaces_the_others(world: World, compute: Credential):
    """The one of the configuration file is tried last: a broker that was set up anew may know no other."""
    for _ in range(5):
        compute.renew(world)
        new, *_ = compute.to_try()
        compute.worked(new)
        world.now += LIFETIME
    assert compute.to_try() == world.start().to_try() == (new, "first")


def test_a_broker_that_knows_an_older_one_only(world: World, compute: Credential):
    """The newest is asked for again at once."""
    compute.renew(world)
    new, *_ = compute.to_try()
    compute.worked(new)
    world.asked.clear()
    compute.worked("first")
    compute.renew(world)
    assert compute.to_try()[0] == new
    assert world.asked


def test_another_configured_password(world: World, compute: Credential):
    """An operator has given it: it is tried first, and when it is good, it is the only one."""
    compute.renew(world)
    again = world.start("second")
    assert again.to_try() == ("second", *compute.to_try())
    again.worked("second")
    assert again.to_try() == ("second",)


def test_a_configured_password_that_is_not_good(world: World, compute: Credential):
    """An old file that was put back: the broker is not asked to take what is in it."""
    compute.renew(world)
    new, *_ = compute.to_try()
    compute.worked(new)
    again = world.start("stale")
    again.worked(new)
    again.renew(world)
    newest, good, *others = again.to_try()
    assert (good, "stale" in others) == (new, True)
    assert newest not in ("stale", new)


def test_a_disk_that_is_full(world: World, compute: Credential, monkeypatch: pytest.MonkeyPatch):
    """Nothing is asked for that is not in the file."""

    def fail(*asked: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        compute.renew(world)
    assert (compute.to_try(), world.asked) == (("first",), [])


def test_a_conductor_that_does_not(world: World, compute: Credential, caplog: pytest.LogCaptureFixture):
    """The log says why, and what it has stays."""

    def fail(*asked: object) -> None:
        raise errors.NotSupported("No password is renewed here")

    world.renew_password = fail
    compute.renew(world)
    assert "No password is renewed here" in caplog.text
    assert compute.to_try()[1:] == ("first",)


def test_a_file_that_makes_no_sense(world: World, caplog: pytest.LogCaptureFixture):
    """The one of the configuration file is left, and the log says so without quoting anything."""
    world.file.parent.mkdir()
    world.file.write_text('{"passwords": ["planted"')
    with caplog.at_level(logging.ERROR):
        assert world.start().to_try() == ("first",)
    assert "passwords" in caplog.text
    assert "planted" not in caplog.text


def test_no_password_is_to_be_renewed(world: World):
    """There is no file; one that is there still counts."""
    compute = world.start(lifetime=0)
    compute.worked("first")
    world.now += LIFETIME
    compute.renew(world)
    assert (world.file.exists(), world.asked) == (False, [])

    renewing = world.start()
    renewing.worked("first")
    world.now += LIFETIME
    renewing.renew(world)
    assert world.start(lifetime=0).to_try() == renewing.to_try()
