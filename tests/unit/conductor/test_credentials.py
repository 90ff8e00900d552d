"""Which passwords a conductor has the broker take, and when it asks the broker at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import errors, rpc
from mininova.conductor import credentials
from mininova.conductor.credentials import Credentials
from mininova.db import identities

NAME, LIFETIME = "compute.host-1", 1000.0
FIRST, SECOND, THIRD = "hash-1", "hash-2", "hash-3"
START = datetime(2030, 1, 1, tzinfo=UTC)


class World:
    """A conductor, the row of a compute, and a broker that remembers what it is told."""

    def __init__(self, db: Any) -> None:
        self.db, self.now, self.told, self.meanwhile = db, START, list[str](), None
        self.record(FIRST)
        self.conductor = Credentials(db, self, lifetime=LIFETIME, clock=lambda: self.now)

    def record(self, hashed: str | None) -> None:
        with self.db.write() as tx:
            identities.record(tx, NAME, ("host-1",), self.now, hashed)

    def renew(self, new: str, instead_of: str, *, after: float = LIFETIME) -> str:
        self.now += timedelta(seconds=after)
        return self.conductor.renew(NAME, new, instead_of)

    @property
    def recorded(self) -> str | None:
        with self.db.read() as tx:
            known = identities.password(tx, NAME)
        return None if known is None else known.hashed

    # ---- the broker

    def define(self, wanted: Any) -> None:
        (user,) = wanted["users"]
        assert user["name"] == NAME
        self.told.append(user["password_hash"])
        if self.meanwhile is not None:
            self.meanwhile, then = None, self.meanwhile
            then()

    def disconnect(self, user: str, why: str) -> None:
        self.told.append(f"cut {user}")


@pytest.fixture
def world(empty_database: Any) -> World:
    return World(empty_database())


def test_a_password_is_renewed(world: World):
    """The broker takes the new one, and then connections with the old one end."""
    assert world.renew(SECOND, "hash-1") == "hash-2"
    assert world.recorded == SECOND
    assert world.told == ["hash-2", f"cut {NAME}"]


def test_a_compute_asks_which_password_it_has(world: World):
    """A request that names none changes nothing where one is recorded."""
    assert world.renew(SECOND, "") == "hash-1"
    assert (world.recorded, world.told) == (FIRST, [])


def test_no_password_is_recorded(world: World):
    """A compute that was let in before passwords were recorded need not name the one that it has."""
    world.record(None)
    assert world.renew(SECOND, "", after=0) == "hash-2"


def test_another_password_than_it_has(world: World):
    """What was sent before an operator changed the password changes nothing."""
    world.record(THIRD)
    assert world.renew(SECOND, "hash-1") == "hash-3"
    assert (world.recorded, world.told) == (THIRD, [])


def test_a_password_that_is_new(world: World):
    """It is replaced after half of its life at the earliest."""
    with pytest.raises(errors.TooManyRequests, match="Try again in 1 s"):
        world.renew(SECOND, "hash-1", after=LIFETIME / 2 - 1)
    assert (world.recorded, world.told) == (FIRST, [])


def test_a_compute_that_was_removed(world: World):
    """Its request is denied."""
    with world.db.write() as tx:
        identities.remove(tx, NAME)
    with pytest.raises(rpc.Forbidden, match="not known any more"):
        world.renew(SECOND, "hash-1")


def test_a_request_that_comes_again(world: World, monkeypatch: pytest.MonkeyPatch):
    """Another conductor, or this one after a while, tells the broker once more; this one at once does not."""
    world.renew(SECOND, "hash-1")
    assert world.renew(SECOND, "hash-1", after=0) == world.renew(SECOND, "", after=0) == "hash-2"
    assert len(world.told) == 2
    monkeypatch.setattr(credentials, "DONE_FOR_S", 0.0)
    world.renew(SECOND, "", after=0)
    assert len(world.told) == 4


def test_an_operator_comes_between(world: World):
    """The broker ends with what is recorded last, and connections that were made meanwhile end."""
    world.meanwhile = lambda: world.record(THIRD)
    world.renew(SECOND, "hash-1")
    assert world.told == ["hash-2", f"cut {NAME}", "hash-3", f"cut {NAME}"]


def test_the_broker_cannot_be_told(world: World, caplog: pytest.LogCaptureFixture):
    """The compute hears no more than that, and its next request does it."""

    def fail() -> None:
        raise errors.BrokerAdminFailed(command="rabbitmqctl", reason="no node at broker-1.inside")

    world.meanwhile = fail
    with pytest.raises(errors.Conflict) as caught:
        world.renew(SECOND, "hash-1")
    assert "inside" not in str(caught.value)
    assert "broker-1.inside" in caplog.text
    assert world.renew(SECOND, "", after=0) == "hash-2"
    assert world.told[-2:] == ["hash-2", f"cut {NAME}"]


def test_what_the_broker_boots_with_cannot_be_written(world: World, caplog: pytest.LogCaptureFixture):
    """The broker has the new password all the same, and the log says until when."""

    def fail() -> None:
        raise errors.DefinitionsNotKept(file="definitions.json", reason="no room")

    world.meanwhile = fail
    assert world.renew(SECOND, "hash-1") == "hash-2"
    assert world.told == ["hash-2", f"cut {NAME}"]
    assert "until the broker starts again" in caplog.text
