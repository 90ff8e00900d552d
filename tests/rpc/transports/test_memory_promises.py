"""What docs/rpc promises holds when every fault happens at once: one run for each seed.

Two servers, each of which asks the other while it works, and two clients; their results and the work that was done
is written down, and compared when the network is whole again.
"""

import random
from collections import Counter
from itertools import count

import pytest

from mininova import rpc
from mininova.rpc import envelope
from mininova.rpc.transports.memory import MemoryTransport
from mininova.rpc.transports.memory_faults import Faults
from tests.fixtures.rpc_bench import CTXT, Keeper, Lamp, MemoryBench

HOSTS = "ab"
STEPS = 12


class Bench(MemoryBench):
    """A broker in memory whose peers can be told apart."""

    def transport(self):
        """Make one process's connection."""
        return MemoryTransport(self.broker, user_id="mininova", name=f"peer-{len(self.peers)}")


class Run:
    """A run under faults: what each sender learned, and what the servers did.

    :ivar ran: how often each thing was done, by its name; each is asked for once
    :ivar told: how each call and cast ended for who sent it
    """

    def __init__(self, seed):
        self.bench, self.dice = Bench(), random.Random(seed)
        self.ran, self.told, self.numbers = Counter(), {}, count()
        for host, other in zip(HOSTS, reversed(HOSTS), strict=True):
            peer = self.bench.peer(f"lamp.{host}")
            ask = self.bench.client(peer).on(other)
            self.bench.serve(
                Keeper(switch=lambda lamp, colour, ask=ask: self.work(lamp.name, ask), get=self.look, toggle=self.look),
                host,
                peer=peer,
            )
        self.clients = [self.bench.client() for _ in range(2)]
        self.bench.broker.suffer(
            Faults(seed=seed, drop=0.1, duplicate=0.1, delay=0.1, reorder=0.2, partition=0.05, longest=50.0)
        )
        for _ in range(STEPS):
            self.step()
        self.bench.broker.suffer(Faults())
        self.bench.broker.heal()
        self.bench.broker.run()
        self.parked = {
            envelope.unpack(delivery.message.body)["args"]["lamp"]["name"] for delivery in self.take_parked()
        }

    # ---- what the servers do

    def look(self, name):
        """Give the name back."""
        self.ran[name] += 1
        return Lamp(name) if name.startswith("get") else True

    def work(self, name, ask):
        """Call and cast to the other server, then do the work."""
        self.ask(ask, "get")
        self.ask(ask, "toggle")
        self.ran[name] += 1

    # ---- what the clients do

    def step(self):
        """Send something, and let a few messages move."""
        client = self.dice.choice(self.clients)
        if self.dice.random() < 0.5:
            client = client.on(self.dice.choice(HOSTS))
        kind = self.dice.choice(["switch", "switch", "get", "toggle"])
        self.ask(client, kind)
        for _ in range(self.dice.randrange(4)):
            self.bench.broker.deliver_one()

    def ask(self, client, method):
        """Send under a new name, and write down the outcome."""
        name = f"{method}-{next(self.numbers)}"
        try:
            self.told[name] = getattr(client, method)(CTXT, Lamp(name) if method == "switch" else name)
        except rpc.RPCError as error:
            self.told[name] = error

    def take_parked(self):
        """Take the casts that were parked after five failures."""
        try:
            return self.bench.peer().transport.waiting(f"{self.bench.topic}.dead")
        except rpc.Undeliverable:
            return []

    def ended(self, kind):
        """Give the names of a kind, with how each ended for its sender."""
        return [(name, end) for name, end in self.told.items() if name.startswith(kind)]


@pytest.mark.parametrize("seed", range(300))
def test_promises(seed: int):
    """Under every fault, the promises to a sender hold."""
    run = Run(seed)

    for name, end in run.ended("switch"):
        assert isinstance(end, rpc.RPCError) or run.ran[name] or name in run.parked, f"the cast {name} is lost"
    for name, end in run.ended("get"):
        assert isinstance(end, rpc.RPCError) or end == Lamp(name), f"{name} has another's answer"
    for name, _ in run.ended("toggle"):
        assert run.ran[name] <= 1, f"{name} was done twice, though twice is not once"
    for name, end in run.told.items():
        assert not (isinstance(end, rpc.RPCError) and end.definite and run.ran[name]), f"{name} was done: {end!r}"


def test_the_runs_reach_every_asserted_case():
    """The faults reach every case that is asserted: casts are parked, and all kinds end well in some runs and badly in
    others.
    """
    runs = [Run(seed) for seed in range(100)]

    assert any(run.ran[name] > 1 for run in runs for name, _ in run.ended("switch"))
    assert any(
        run.ran[name] > 1 and not isinstance(end, rpc.RPCError) for run in runs for name, end in run.ended("get")
    )
    for kind in "switch", "get", "toggle":
        assert {isinstance(end, rpc.RPCError) for run in runs for _, end in run.ended(kind)} == {True, False}
