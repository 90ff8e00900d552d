"""How a service with a database learns the identities of senders."""

from datetime import UTC, datetime

import pytest

from mininova import errors
from mininova.db import identities
from mininova.db.schema import NOVA
from mininova.db.session import Database
from mininova.trust.directory import LIFETIME, Directory


class World:
    """A database, a clock, and the directory."""

    def __init__(self, db):
        self.db, self.now = db, 100.0
        self.directory = Directory(identities.reader(db), clock=lambda: self.now)

    def record(self, *hosts):
        """Record the hosts of compute.host-1."""
        with self.db.write() as tx:
            identities.record(tx, "compute.host-1", hosts, datetime.now(UTC))

    def hosts(self):
        """Give its hosts."""
        identity = self.directory("compute.host-1")
        return None if identity is None else identity.hosts


@pytest.fixture
def world(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'mininova.sqlite'}", connect_retry=0)
    NOVA.upgrade(database)
    yield World(database)
    database.close()


def test_services_are_known_by_their_names(world):
    """The controller's own services need no rows."""
    assert [world.directory(name).kind for name in ("api", "scheduler", "conductor")] == [
        "api", "scheduler", "conductor"
    ]  # fmt: skip


def test_an_unrecorded_sender_has_no_identity(world):
    """A sender without a record, or without a name, has no identity; once recorded, it has one at once."""
    assert [world.directory(name) for name in ("compute.host-1", "guest", "", None)] == [None] * 4
    world.record("host-1", "host-2")
    assert world.hosts() == ("host-1", "host-2")


def test_an_answer_is_remembered_for_a_moment(world):
    """An operator's change counts after that moment."""
    world.record("host-1")
    assert world.hosts() == ("host-1",)
    with world.db.write() as tx:
        identities.remove(tx, "compute.host-1")
    assert world.hosts() == ("host-1",)
    world.now += LIFETIME
    assert world.hosts() is None


def test_a_database_that_is_away(world):
    """A caller that must not wait gets the last known answer; another gets an error."""
    world.record("host-1")
    assert world.hosts() == ("host-1",)
    world.now += LIFETIME

    def away(*, patience):
        raise errors.DatabaseNotReady("it is away")

    world.db.read = away
    assert world.directory.at_once("compute.host-1").hosts == ("host-1",)
    assert world.directory.at_once("compute.host-2") is None
    with pytest.raises(errors.DatabaseNotReady):
        world.directory("compute.host-1")


def test_the_lane_of_a_hosts_replies(world):
    """The lane is that of the compute that acts for the host; a service of the controller has none."""
    assert world.directory.lane_of("compute.host-1") is None
    world.record("host-1", "host-2")
    asked = ("compute.host-1", "compute.host-2", "compute.host-3", "compute", "conductor", "conductor.host-1")
    assert [world.directory.lane_of(key) for key in asked] == ["compute.host-1", "compute.host-1", *[None] * 4]


def test_all_computes_are_read_anew(world):
    """The list is read from the database each time, so that a new compute is seen at once."""
    world.record("host-1")
    assert world.directory.computes() == ["compute.host-1"]
    with world.db.write() as tx:
        identities.record(tx, "compute.host-2", ["host-2"], datetime.now(UTC))
    assert world.directory.computes() == ["compute.host-1", "compute.host-2"]
