"""Crashes of the processes of a simulated cloud, at any of their steps, and what each does by itself while it lives.

A step is a commit or a message, before it and after it.  A process that crashes there does nothing more: what it had
not committed is undone, what it had not acknowledged is delivered again, and its calls are never answered.  It starts
again later, by the broker's clock.  All code runs on one thread, so a process is known by its transport: the innermost
of those that wait runs.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from mininova import errors, rpc
from mininova.db.session import Connection
from mininova.rpc.transports.base import Delivery, Message, Subscription
from mininova.rpc.transports.memory import MemoryTransport
from tests.fixtures.cloud import Cloud

LONGEST_S = 20.0  # that a process is away, mostly
DEAD_S, DEATHS = 400.0, 0.1  # that it is away at most, and how often it is for long: the others take a host for down
AGAIN_S = 5.0  # after which a process tries to start again that lacks what it needs
API = "api.ctl"
REPORT_S, RECONCILE_S, SWEEP_S = 60.0, 60.0, 10.0  # between two heartbeats, looks at the guests, and sweeps


class Crash(BaseException):
    """The process that is running ends here."""


class Trace:
    """All steps of a run, as a digest: two runs of a seed have the same."""

    def __init__(self) -> None:
        self._hash, self.steps = hashlib.sha256(), 0

    def note(self, *words: Any) -> None:
        """Add a step."""
        self.steps += 1
        self._hash.update(repr(words).encode())

    @property
    def digest(self) -> str:
        """Give what stands for all steps so far."""
        return self._hash.hexdigest()[:16]


class Crashes:
    """Has processes crash, and starts them again.

    :ivar chance: of a crash at each step
    :ivar happened: how often each process did
    :ivar longest_s: that a process was away
    """

    def __init__(self, cloud: Cloud, dice: random.Random) -> None:
        self._cloud, self._dice, self.chance = cloud, dice, 0.0
        self.happened, self.longest_s, self.trace = Counter[str](), 0.0, Trace()
        self._running: list[Any] = [cloud.peers[API].transport]
        self._dead, self._away = set[Any](), set[str]()
        self._commits = cloud.db.write
        for name in cloud.peers:
            self._begin(name)

    # ---- steps

    def step(self, *what: Any) -> None:
        """Go on, or crash."""
        me = self._running[-1]
        self.trace.note(self._cloud.broker.now, getattr(me, "user_id", None), *what)
        if me in self._dead:
            raise Crash
        if me is not None and self.chance and self._dice.random() < self.chance:
            self._kill(me)
            raise Crash

    @contextmanager
    def happening(self) -> Iterator[None]:
        """Have all processes of the cloud make steps, in the block."""
        kept = {name: getattr(MemoryTransport, name) for name in ("publish", "publish_confirmed", "wait", "hand")}
        MemoryTransport.publish = self._around(kept["publish"])  # type: ignore[method-assign]
        MemoryTransport.publish_confirmed = self._around(kept["publish_confirmed"])  # type: ignore[method-assign]
        MemoryTransport.wait = self._after(kept["wait"])  # type: ignore[method-assign]
        MemoryTransport.hand = self._within(kept["hand"])  # type: ignore[method-assign]
        self._cloud.db.write = self._write  # type: ignore[method-assign]
        try:
            yield
        finally:
            self._cloud.db.write = self._commits  # type: ignore[method-assign]
            for name, method in kept.items():
                setattr(MemoryTransport, name, method)

    @contextmanager
    def _write(self, **how: Any) -> Iterator[Connection]:
        with self._commits(**how) as tx:
            yield tx
            self.step("commits")
        self.step("has committed")

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Make a step before and after a method of a transport that sends."""

        def stepping(transport: MemoryTransport, message: Message, *args: Any, **how: Any) -> Any:
            self.step("sends", message.exchange, message.routing_key, message.body)
            done = method(transport, message, *args, **how)
            self.step("has sent")
            return done

        return stepping

    def _after(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Have a process that died while it waited do nothing when its wait is over."""

        def waiting(transport: MemoryTransport, *args: Any) -> Any:
            done = method(transport, *args)
            if transport in self._dead:
                raise Crash
            return done

        return waiting

    def _within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Know whose code runs while a message is handled; a crash ends there."""

        def handing(transport: MemoryTransport, subscription: Subscription, delivery: Delivery) -> None:
            self.trace.note(self._cloud.broker.now, subscription.queue, delivery.message.message_id)
            with self.acting(transport):
                method(transport, subscription, delivery)

        return handing

    @contextmanager
    def acting(self, transport: Any) -> Iterator[None]:
        """Run the code of a process; a crash of it ends here."""
        self._running.append(transport)
        try:
            yield
        except Crash:
            if transport not in self._dead:
                raise
        finally:
            self._running.pop()

    # ---- what a process does by itself

    def _begin(self, name: str) -> None:
        """Have a process that has just started do what it does now and then (see mininova/cmd)."""
        peer = self._cloud.peers[name]
        if name.startswith("compute."):
            hosts = self._cloud.racks[name.removeprefix("compute.")]
            for manager in (self._cloud.computes[host] for host in hosts):
                self._every(name, REPORT_S, manager.report)
                self._every(name, RECONCILE_S, manager.reconcile)
                peer.on_restored = partial(self._soon, peer.transport, manager.reconcile)
        elif name == "conductor.ctl":
            self._every(name, SWEEP_S, self._cloud.sweeper.sweep)
            peer.on_restored = partial(self._soon, peer.transport, self._cloud.sweeper.hurry)

    def _every(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        transport = self._cloud.peers[name].transport

        def turn() -> None:
            if transport not in self._dead:
                self._do(transport, work)
                self._cloud.broker.later(seconds * self._dice.uniform(0.9, 1.1), turn)

        self._cloud.broker.later(seconds * self._dice.random(), turn)

    def _soon(self, transport: Any, work: Callable[[], object]) -> None:
        self._cloud.broker.later(0.0, partial(self._do, transport, work))

    def _do(self, transport: Any, work: Callable[[], object]) -> None:
        if transport not in self._dead:
            with self.acting(transport), suppress(rpc.RPCError, errors.DatabaseAway):
                work()

    # ---- lives

    def _kill(self, transport: Any) -> None:
        self._dead.add(transport)
        name = next(name for name, peer in self._cloud.peers.items() if peer.transport is transport)
        self.happened[name] += 1
        transport.stop()
        if name == API:
            return  # its client sees that, and starts it again
        away_s = self._dice.uniform(0, DEAD_S if self._dice.random() < DEATHS else LONGEST_S)
        self.longest_s = max(self.longest_s, away_s)
        self._away.add(name)
        self._cloud.broker.later(away_s, partial(self.revive, name))

    def revive(self, name: str) -> None:
        """Start a process again, unless it was; one that ends while it starts is started again later."""
        if name not in self._away and name != API:
            return
        self._away.discard(name)
        try:
            with self.acting(None):
                self._cloud.revive(name)
        except Crash:  # it serves already while it waits for its first answers, and has ended of that
            return
        except rpc.RPCError:
            self._cloud.peers[name].transport.stop()
            self._away.add(name)
            self._cloud.broker.later(AGAIN_S, partial(self.revive, name))
            return
        if name == API:
            self._running[0] = self._cloud.peers[name].transport
        self._begin(name)

    def revive_all(self) -> None:
        """Start all again that are away."""
        for name in sorted(self._away):
            self.revive(name)
