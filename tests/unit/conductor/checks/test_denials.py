"""Denials are written aside, added up, and slowly."""

import pytest
from msgspec.structs import replace

from mininova import errors
from mininova.conductor.checks.denials import MOST_WAITING, DenialLog
from mininova.db import denials
from mininova.rpc import Denial

ONE = Denial(caller="compute.host-1", method="get_instance", object="u-1", reason="not its own", at=1_700_000_000.0)


class Later:
    """Takes what is to be done aside, and does it when it is told to."""

    def __init__(self):
        self.work = []

    def __call__(self, function):
        self.work.append(function)

    def run(self):
        while self.work:
            self.work.pop(0)()


def listed(db):
    """List what has been written."""
    with db.read() as tx:
        return {(each.caller, each.object): each.count for each in denials.search(tx)}


@pytest.fixture
def later():
    return Later()


@pytest.fixture
def log(world, later):
    return DenialLog(world.db, spawn=later, pause=0)


def test_denials_are_added_up_aside(world, log, later):
    """While they come, one writer waits; it writes one sum for each thing, and ends when there is no more."""
    for _ in range(1000):
        log(ONE)
    log(replace(ONE, object="u-2"))
    assert (len(later.work), listed(world.db)) == (1, {})
    later.run()
    assert listed(world.db) == {("compute.host-1", "u-1"): 1000, ("compute.host-1", "u-2"): 1}
    log(ONE)
    assert len(later.work) == 1


def test_a_flood_of_objects_takes_no_memory(world, log, later):
    """So many sums wait, and then all others of a method are one."""
    for n in range(MOST_WAITING + 50):
        log(replace(ONE, object=str(n)))
    later.run()
    assert sum(listed(world.db).values()) == MOST_WAITING + 50


def test_nobody_and_long_words(world, log, later):
    """Who has no name is written as nobody, and long words are cut to what there is room for."""
    log(replace(ONE, caller=None, object="x" * 1000, reason="y" * 1000))
    later.run()
    assert listed(world.db) == {("", "x" * 128): 1}


def test_a_database_that_is_away(world, log, later, caplog):
    """The log has them all the same, and whoever was denied does not wait."""
    world.db.close()
    world.db.read = world.db.write = Away()
    log(ONE)
    later.run()
    assert "could not list 1 denials" in caplog.text


class Away:
    """A database that is not there."""

    def __call__(self, *, patience):
        raise errors.DatabaseNotReady("it is away")


def test_the_last_ones_are_written_at_the_end(world, log, later):
    """A conductor that stops writes what waits."""
    log(ONE)
    log.stop()
    assert listed(world.db) == {("compute.host-1", "u-1"): 1}
    later.run()
