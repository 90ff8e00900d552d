"""Who sends more than is worked holds nobody else up; on RabbitMQ, for the memory broker does one thing at a time."""

import queue
import threading
from collections.abc import Iterator

import pytest
from private_broker import PrivateBroker
from rpc_bench import CTXT, PATIENCE, AMQPBench, Bench, Gate, Keeper, Lamp

from mininova import rpc

FLOOD, MOST = 300, 4


@pytest.fixture
def bench(private_broker: PrivateBroker) -> Iterator[Bench]:
    """Give RabbitMQ with names of its own for everything."""
    made = AMQPBench(private_broker.url)
    yield made
    made.close()


def most(caller: str | None) -> float:
    """Bound the computes."""
    return MOST if caller and caller.startswith("compute.") else float("inf")


def flooded(bench: Bench, keeper: Keeper) -> rpc.Server:
    """Have a server, and more casts for it from host-1 than it takes."""
    server = bench.serve(keeper, user="conductor", most_at_once=most)
    flood = bench.client(bench.peer(user="compute.host-1"))
    senders = [
        threading.Thread(target=lambda mine=mine: [flood.switch(CTXT, Lamp(str(name))) for name in mine])
        for mine in (range(first, FLOOD, 10) for first in range(10))
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(PATIENCE)
    return server


def test_a_flood_holds_nobody_else_up(bench: Bench):
    """While nothing of the flood is finished, another is answered; then all of it is done."""
    gate, busy, lock = Gate(), [], threading.Lock()
    most_busy = queue.Queue[int]()

    def work(lamp: Lamp, colour: str) -> None:
        with lock:
            busy.append(lamp)
        gate()
        with lock:
            most_busy.put(len(busy))
            busy.pop()

    keeper = Keeper(switch=work)
    flooded(bench, keeper)
    assert gate.entered.wait(PATIENCE)

    assert bench.client(bench.peer(user="compute.host-2")).get(CTXT, "desk") == Lamp("desk")

    gate.may_leave.set()
    assert max(most_busy.get(timeout=PATIENCE) for _ in range(FLOOD)) <= MOST


def test_who_is_trusted_is_not_held_back(bench: Bench):
    """The api may have as many in hand as it sends."""
    keeper, together = Keeper(), threading.Barrier(3 * MOST)
    keeper.does["switch"] = lambda *args: together.wait(PATIENCE)
    bench.serve(keeper, user="conductor", most_at_once=most)
    api = bench.client(bench.peer(user="api"))

    for _ in range(3 * MOST):
        api.switch(CTXT, Lamp("desk"))

    assert [bench.next(keeper.asked)[0] for _ in range(3 * MOST)] == ["switch"] * 3 * MOST


def test_what_waits_for_its_turn_has_its_caller_still(bench: Bench):
    """Moved aside in the server's name, it is still its sender's."""
    gate, seen = Gate(), queue.Queue[str | None]()

    def work(*args: object) -> None:
        gate()
        seen.put(rpc.caller())

    flooded(bench, Keeper(switch=work))
    gate.may_leave.set()

    assert {seen.get(timeout=PATIENCE) for _ in range(FLOOD)} == {"compute.host-1"}


def test_a_server_that_stops_gives_back_what_waits(bench: Bench):
    """Another does what this one had not begun: all of it is done."""
    gate, done = Gate(), queue.Queue[str]()

    def work(lamp: Lamp, colour: str) -> None:
        gate()
        done.put(lamp.name)

    server = flooded(bench, Keeper(switch=work))
    assert gate.entered.wait(PATIENCE)
    gate.may_leave.set()
    server.stop()
    server.peer.stop()
    bench.serve(Keeper(switch=work), "b", user="conductor", most_at_once=most)

    names: set[str] = set()
    while len(names) < FLOOD:
        names.add(done.get(timeout=PATIENCE))
