"""A cloud as a whole: what a reset waits for, and what it ends."""

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest

from mininova.control.world import World
from mininova.db.session import Database
from mininova.rpc.transports.base import Message
from mininova.virt.guests import Guest

DEADLINE = 20  # seconds; less than a reset has patience


class FakeHypervisor:
    """A hypervisor with an operation that takes until it is halted."""

    def __init__(self) -> None:
        self.halted = threading.Event()

    def guests(self) -> list[Guest]:
        return []

    def halt(self, which: Callable[[str], bool]) -> None:
        if which("any"):
            self.halted.set()

    def become(self, guests: Sequence[Guest]) -> None:
        pass

    def lose(self, uuids: Collection[str]) -> None:
        pass


class FakeBroker:
    """A broker that has nothing."""

    def drop(self, which: Callable[[Message], bool]) -> None:
        pass

    def come_to_rest(self, patience: float, which: Callable[[Message], bool]) -> bool:
        return True


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def world(empty_database: Callable[[], Database], hypervisor: FakeHypervisor, tmp_path: Path) -> World:
    world = World(empty_database(), FakeBroker(), {"host-1": hypervisor}, tmp_path)
    world.remember()
    return world


def test_a_reset_ends_what_a_request_waits_for(world: World, hypervisor: FakeHypervisor):
    """The request is inside, and asks a host for what takes long there; the reset need not wait for that."""
    inside, ended = threading.Event(), threading.Event()

    def ask() -> None:
        with world.passing():
            inside.set()
            if hypervisor.halted.wait(DEADLINE):
                ended.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert inside.wait(DEADLINE)
    world.reset()
    asking.join(DEADLINE)
    assert ended.is_set()
