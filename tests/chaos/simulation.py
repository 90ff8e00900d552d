"""The whole cloud on one thread, with a crash at any step of any process: a seed decides all of it.

    .venv/bin/python -m tests.chaos.simulation --seeds 1000 [--first 0]

A step is a commit or a message, before it and after it.  A process that crashes there does nothing more: what it had
not committed is undone, what it had not acknowledged is delivered again, and its calls are never answered.  It starts
again a little later, by the broker's clock.  Meanwhile messages are lost, doubled, late and out of order, the broker
may lose all that it has, and a client goes on asking.  Then all of it is mended, and a conductor looks at what stands
still.  What must hold then is in ``Run.wrong``.
"""

import argparse
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mininova import states
from mininova.db import claims, faults, instances, open_operations
from mininova.db.session import Connection
from mininova.objects import Instance
from mininova.rpc.transports.memory import MemoryTransport
from mininova.rpc.transports.memory_faults import Faults
from tests.fixtures.cloud import Cloud

REQUESTS = 12
CHANCE = 0.01  # of a crash at each step
LONGEST_S = 20.0  # that a process is away, or a message late
ACTIONS = {
    "stop": {"os-stop": None},
    "start": {"os-start": None},
    "reboot": {"reboot": {"type": "SOFT"}},
    "hard reboot": {"reboot": {"type": "HARD"}},
}
HOST_2_IS_BROKEN = "[{hosts: host-2, operation: spawn, failure: {probability: 1, message: the disk is full}}]"


class Crash(BaseException):
    """The process that is running ends here."""


class Crashes:
    """Has processes crash, and starts them again.

    :ivar happened: how often each process did
    """

    def __init__(self, cloud: Cloud, dice: random.Random) -> None:
        self._cloud, self._dice, self.chance = cloud, dice, 0.0
        self.happened = Counter[str]()
        self._running = [cloud.peers["api.ctl"].transport]  # whose code runs: the innermost of those that wait
        self._dead = set[Any]()
        self._commits = cloud.db.write
        cloud.db.write = self._write  # type: ignore[method-assign]

    # ---- steps

    def step(self) -> None:
        """Go on, or crash."""
        me = self._running[-1]
        if me in self._dead:
            raise Crash
        if self._dice.random() < self.chance:
            self._kill(me)
            raise Crash

    @contextmanager
    def _write(self, **how: Any) -> Iterator[Connection]:
        with self._commits(**how) as tx:
            yield tx
            self.step()
        self.step()

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Make a step before and after a method of a transport that sends."""

        def stepping(*args: Any, **how: Any) -> Any:
            self.step()
            done = method(*args, **how)
            self.step()
            return done

        return stepping

    def after(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Have a process that died while it waited do nothing when its wait is over."""

        def waiting(transport: MemoryTransport, *args: Any) -> Any:
            done = method(transport, *args)
            if transport in self._dead:
                raise Crash
            return done

        return waiting

    def within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Know whose code runs while a message is handled; a crash ends there."""

        def handing(transport: MemoryTransport, *args: Any) -> None:
            self._running.append(transport)
            try:
                method(transport, *args)
            except Crash:
                if transport not in self._dead:
                    raise
            finally:
                self._running.pop()

        return handing

    # ---- lives

    def _kill(self, transport: Any) -> None:
        self._dead.add(transport)
        name = next(name for name, peer in self._cloud.peers.items() if peer.transport is transport)
        self.happened[name] += 1
        transport.stop()
        if name == "api.ctl":
            return  # its client sees that, and starts it again
        self._cloud.broker.later(self._dice.uniform(0, LONGEST_S), lambda: self.revive(name))

    def revive(self, name: str) -> None:
        """Start a process again; it does not crash while it starts."""
        chance, self.chance = self.chance, 0.0
        try:
            self._cloud.revive(name)
            if name == "api.ctl":
                self._running[0] = self._cloud.peers[name].transport
        finally:
            self.chance = chance


class Run:
    """One seed.

    :ivar crashes: what crashed
    :ivar outcomes: how many requests were answered with which status; None is no answer
    :ivar found: what is wrong in the end
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.cloud = Cloud(path, behaviour=HOST_2_IS_BROKEN if seed % 3 == 0 else "")
        for user in "demo", "admin":
            self.cloud.login(user, user)
        self.crashes, self.outcomes = Crashes(self.cloud, self.dice), Counter[int | None]()
        self.found: list[str] = []
        self._faults = Faults(
            seed=seed, drop=0.03, duplicate=0.05, delay=0.1, reorder=0.1, partition=0.01, longest=LONGEST_S
        )

    def play(self) -> None:
        """Play the seed, and find what is wrong in the end."""
        with _stepping(self.crashes):
            self.crashes.chance = CHANCE
            self.cloud.broker.suffer(self._faults)
            for _ in range(REQUESTS):
                self._ask()
                for _ in range(self.dice.randrange(8)):
                    self._move()
                if self.dice.random() < 0.1:
                    self.cloud.lose_messages()
            self._mend()
        self.found = list(self.wrong())

    def _ask(self) -> None:
        """Boot a server, or do something to one that there is, as a client would."""
        there = _all(self.cloud)
        what = self.dice.choice(["boot", "boot", "delete", *ACTIONS]) if there else "boot"
        try:
            if what == "boot":
                answer = self.cloud.request("POST", "/servers", {"server": self.cloud.wanted()})
            else:
                uuid = self.dice.choice(there).uuid
                method, path = ("DELETE", "") if what == "delete" else ("POST", "/action")
                answer = self.cloud.request(method, f"/servers/{uuid}{path}", ACTIONS.get(what))
            self.outcomes[int(answer.status_code)] += 1
        except Crash:
            self.outcomes[None] += 1
            self.crashes.revive("api.ctl")

    def _move(self, *until: float) -> bool:
        broker = self.cloud.broker
        return broker.deliver_one() or broker.pass_time(*until or (broker.now + 5.0,))

    def _mend(self) -> None:
        """Have nothing go wrong any more, and all that is under way looked at."""
        self.crashes.chance = 0.0
        self.cloud.broker.suffer(Faults())
        self.cloud.broker.heal()
        self.cloud.run()
        for _ in range(3):  # what has moved is given time once, and a build may have to go elsewhere
            self.cloud.sweep()

    # ---- what must hold

    def wrong(self) -> Iterator[str]:
        """Say what is not as it must be, once nothing goes wrong any more."""
        for instance in _all(self.cloud, deleted=True):
            guests = self._guests(instance.uuid)
            with self.cloud.db.read() as tx:
                claim, operation = claims.of_instance(tx, instance.uuid), open_operations.of_instance(tx, instance.uuid)
                fault = faults.latest(tx, [instance.uuid]).get(instance.uuid)
            it = f"{instance.uuid} ({instance.vm_state})"
            if operation is not None:
                yield f"{it}: its {operation.operation} is open"
            if instance.task_state is not None or instance.vm_state == states.BUILDING:
                yield f"{it}: it is still in {instance.task_state}"
            runs, failed = instance.vm_state in (states.ACTIVE, states.STOPPED), instance.vm_state == states.ERROR
            if guests != ([instance.host] if runs else []) and not (failed and len(guests) < 2):
                yield f"{it} on {instance.host}: its guests are on {guests}"
            if (claim is not None) != runs and not failed:
                yield f"{it}: its claim is {claim}"
            if claim is not None and claim.host != instance.host:
                yield f"{it} on {instance.host}: its claim is on {claim.host}"
            if failed and (fault is None or len(fault.message.split()) < 3):
                yield f"{it}: its fault is {fault}"
        if denied := self.cloud.denied():
            yield f"honest messages were denied: {denied}"

    def _guests(self, uuid: str) -> list[str]:
        return [host for host, it in self.cloud.computes.items() if uuid in it.driver.list_instance_uuids()]


def _all(cloud: Cloud, deleted: bool = False) -> list[Instance]:
    with cloud.db.read() as tx:
        uuids = list(tx.exec_driver_sql("SELECT uuid FROM instances ORDER BY id").scalars())
        found = [instances.get(tx, uuid, deleted=True) for uuid in uuids]
    return [it for it in found if deleted or it.vm_state != states.DELETED]


@contextmanager
def _stepping(crashes: Crashes) -> Iterator[None]:
    """Have every transport make steps."""
    kept = {name: getattr(MemoryTransport, name) for name in ("publish", "publish_confirmed", "wait", "hand")}
    MemoryTransport.publish = crashes.around(kept["publish"])  # type: ignore[method-assign]
    MemoryTransport.publish_confirmed = crashes.around(kept["publish_confirmed"])  # type: ignore[method-assign]
    MemoryTransport.wait = crashes.after(kept["wait"])  # type: ignore[method-assign]
    MemoryTransport.hand = crashes.within(kept["hand"])  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(MemoryTransport, name, method)


def play(seed: int) -> Run:
    """Play a seed in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="mininova-") as folder:
        run = Run(Path(folder), seed)
        try:
            run.play()
        finally:
            run.cloud.db.close()
    return run


def main() -> int:
    """Play many seeds, say which of them went wrong and how, and how many a minute there were."""
    parser = argparse.ArgumentParser(description="Play seeds of a cloud in which anything crashes at any step.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=100)
    asked = parser.parse_args()
    logging.disable()  # of what went wrong on purpose
    began, bad, crashed, outcomes = time.monotonic(), 0, Counter[str](), Counter[Any]()
    for seed in range(asked.first, asked.first + asked.seeds):
        run = play(seed)
        crashed.update(run.crashes.happened)
        outcomes.update(run.outcomes)
        bad += bool(run.found)
        for each in run.found:
            print(f"seed {seed}: {each}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"{asked.seeds} seeds, {bad} wrong, {asked.seeds / minutes:.0f} a minute")
    print(f"crashes: {dict(crashed)}; answers: {dict(outcomes)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
