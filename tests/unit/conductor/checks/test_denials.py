"""Denials are counted in the background, so a flood of them does not hold up the conductor."""

import pytest
from msgspec.structs import replace

from mininova import errors
from mininova.conductor.checks.denials import MOST_WAITING, DenialLog
from mininova.db import denials
from mininova.rpc import Denial

ONE = Denial(caller="compute.host-1", method="get_instance", object="u-1", reason="not its own", at=1_700_000_000.0)


class Later:
    """Takes functions, and calls them when the test says so."""

    def __init__(self):
        self.work = []

    def __call__(self, function):
        self.work.append(function)

    def run(self):
        while self.work:
            self.work.pop(0)()


def listed(db):
    """List the denials in the database."""
    with db.read() as tx:
        return {(each.caller, each.object): each.count for each in denials.search(tx)}


@pytest.fixture
def later():
    return Later()


@pytest.fixture
def log(world, later):
    return DenialLog(world.db, spawn=later, pause=0)


def test_denials_are_added_up_aside(world, log, later):
    """One writer in the background writes a sum for each kind of denial, and ends when none is left."""
    for _ in range(1000):
        log(ONE)
    log(replace(ONE, object="u-2"))
    assert (len(later.work), listed(world.db)) == (1, {})
    later.run()
    assert listed(world.db) == {("compute.host-1", "u-1"): 1000, ("compute.host-1", "u-2"): 1}
    log(ONE)
    assert len(later.work) == 1


def test_a_flood_of_objects_loses_no_denial(world, log, later):
    """Beyond the sums that may wait, those of a method are added up."""
    for n in range(MOST_WAITING + 50):
        log(replace(ONE, object=str(n)))
    later.run()
    assert sum(listed(world.db).values()) == MOST_WAITING + 50


def test_a_flood_of_objects_takes_no_memory(world, log, later, caplog):
    """The number of sums that wait is limited, and one more has all the others of the method."""
    world.db.close()
    world.db.read = world.db.write = Away()
    for n in range(MOST_WAITING + 50):
        log(replace(ONE, object=str(n)))
    later.run()
    assert f"could not list {MOST_WAITING + 1} denials" in caplog.text


def test_a_denial_without_a_caller_and_with_long_texts(world, log, later):
    """A denial without a caller has an empty name, and long texts are cut to the length of their columns."""
    log(replace(ONE, caller=None, object="x" * 1000, reason="y" * 1000))
    later.run()
    assert listed(world.db) == {("", "x" * 128): 1}


def test_a_database_that_is_away(world, log, later, caplog):
    """The log has the denials all the same, and the denied caller does not wait."""
    world.db.close()
    world.db.read = world.db.write = Away()
    log(ONE)
    later.run()
    assert "could not list 1 denials" in caplog.text


class Away:
    """A database that is away."""

    def __call__(self, *, patience):
        raise errors.DatabaseNotReady("it is away")


def test_the_last_ones_are_written_at_the_end(world, log, later):
    """A conductor that stops writes the sums that wait."""
    log(ONE)
    log.stop()
    assert listed(world.db) == {("compute.host-1", "u-1"): 1}
    later.run()
