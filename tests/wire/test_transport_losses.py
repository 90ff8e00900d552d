"""No cast is lost: handlers fail, receivers die, servers stop."""

import queue
import threading
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc import envelope
from mininova.rpc.server import MOST_DELIVERIES
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.kombu.brokers import HEIRS
from tests.fixtures.rpc_bench import (
    BY_KOMBU,
    CTXT,
    PATIENCE,
    Bench,
    Gate,
    Keeper,
    Lamp,
    LampBroken,
    benches,
    broken,
    needs,
)

bench = benches("memory", "in-process", "amqp", "quorum", "qpid", *BY_KOMBU)
open_to_bindings = benches(
    "memory", "in-process", "amqp", "quorum", *BY_KOMBU
)  # on Qpid any user can make one: see the dialect


def failing(times: int) -> Any:
    """Make a function that fails a number of times, and then works."""
    left = [times]

    def work(*args: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise LampBroken("not now")

    return work


def test_a_cast_that_failed_is_tried_again(bench: Bench):
    """The handler gets it again until it works."""
    keeper, events = Keeper(switch=failing(2)), queue.Queue[rpc.MessageEvent]()
    bench.serve(keeper, watch=rpc.Flow(events.put))

    bench.client().switch(CTXT, Lamp("desk"))
    told = [bench.next(events) for _ in range(8)]

    assert [event.kind for event in told] == ["received", "replied", "retried"] * 2 + ["received", "replied"]
    assert [event.error for event in told[1::3]] == ["LampBroken: not now", "LampBroken: not now", None]
    assert keeper.asked.qsize() == 3


def test_a_cast_that_came_another_way_is_tried_again_here(open_to_bindings: Bench):
    """It is tried again by the server's own queue, whichever exchange and key its sender chose."""
    bench = open_to_bindings
    keeper, peer, elsewhere = Keeper(switch=failing(3)), bench.peer(), f"{bench.exchange}.elsewhere"
    bench.serve(keeper)
    peer.transport.declare(bench.topic, elsewhere, "a key")

    cast = bench.payload("switch", {"lamp": Lamp("desk")}, version="1.0")
    bench.request(peer, cast, exchange=elsewhere, routing_key="a key")

    assert [bench.next(keeper.asked)[1][0] for _ in range(4)] == [Lamp("desk")] * 4


@needs(HEIRS)
def test_a_cast_that_cannot_be_put_aside_is_left_to_others(bench: Bench):
    """If the broker refuses to take the cast for its pause, this server keeps it, and the next server gets it when this
    one ends.
    """
    broken_here, keeper = Keeper(switch=broken), Keeper()
    peer = bench.peer("lamp.a")
    bench.serve(broken_here, "a", peer=peer)

    def refuse(message: Message, timeout: float) -> None:
        raise rpc.MessageRefused("it may not write there")

    peer.transport.publish_confirmed = refuse  # type: ignore[method-assign]
    bench.client().switch(CTXT, Lamp("desk"))
    assert bench.next(broken_here.asked)[0] == "switch"
    assert bench.client().get(CTXT, "desk") == Lamp("desk")
    assert bench.next(broken_here.asked) == ("get", "desk")

    bench.kill(peer)
    bench.serve(keeper, "b")

    while bench.next(keeper.asked)[0] != "switch":  # the get may come again: its server was killed just after it
        pass


def test_a_cast_that_fails_always_is_parked(bench: Bench):
    """After five deliveries it is in ``<topic>.dead``, whole, and no server gets it again."""
    keeper = Keeper(switch=broken)
    bench.serve(keeper)
    bench.client().switch(CTXT, Lamp("desk"))
    for _ in range(MOST_DELIVERIES):
        bench.next(keeper.asked)

    bench.client().switch(CTXT, Lamp("marker"))
    assert bench.next(keeper.asked)[1][0] == Lamp("marker")
    parked = bench.next(bench.listen(f"{bench.topic}.dead"))

    assert envelope.unpack(parked.body)["args"]["lamp"]["name"] == "desk"
    assert parked.deliveries == MOST_DELIVERIES
    assert parked.persistent


def test_a_fanout_that_failed_is_not_repeated(bench: Bench):
    """A fanout is best effort: one server's failure does not send it to all again."""
    keepers = [Keeper(dim=broken), Keeper()]
    for host, keeper in zip("ab", keepers, strict=True):
        bench.serve(keeper, host)
    client = bench.client()

    client.dim(CTXT, percent=10)
    assert [bench.next(keeper.asked) for keeper in keepers] == [("dim", 10)] * 2
    client.on("a").switch(CTXT, Lamp("marker"))
    client.dim(CTXT, percent=20)

    assert sorted(bench.next(keepers[0].asked)[0] for _ in range(2)) == ["dim", "switch"]
    assert bench.next(keepers[1].asked) == ("dim", 20)


@needs(HEIRS)
def test_a_dead_receivers_cast_goes_to_the_next(bench: Bench):
    """A cast is acknowledged after the work, so the death of its receiver does not lose it."""
    first = bench.peer("lamp.a")
    taken = threading.Event()
    bench.serve(Keeper(), "a", peer=first, spawn=lambda *args: taken.set())
    bench.client().switch(CTXT, Lamp("desk"))
    bench.deliver()
    assert taken.wait(PATIENCE)
    second = Keeper()
    bench.serve(second, "b")

    bench.kill(first)

    assert bench.next(second.asked) == ("switch", (Lamp("desk"), "white"))


@needs(HEIRS)
def test_a_cast_that_kills_its_receivers_is_parked(bench: Bench):
    """A delivery that ended with the death of its receiver counts, too.

    MOST_DELIVERIES die of it, and one is left to park it.  More are there, for a death that comes before an
    acknowledgement makes two of the message, and each of them kills.
    """
    for number in range(3 * MOST_DELIVERIES):
        peer = bench.peer(f"lamp.{number}")
        bench.serve(Keeper(switch=die), str(number), peer=peer, spawn=mortal(bench, peer))
    parked = bench.listen(f"{bench.topic}.dead")

    bench.client().switch(CTXT, Lamp("desk"))

    assert envelope.unpack(bench.next(parked).body)["args"]["lamp"]["name"] == "desk"


class Killed(BaseException):
    """What a handler sees of a SIGKILL."""


def die(*args: Any) -> None:
    """Handle a message by killing the process."""
    raise Killed


def mortal(bench: Bench, peer: rpc.Peer) -> Any:
    """Make a spawn whose handlers may kill the process."""

    def run(function: Any, *args: Any) -> None:
        try:
            function(*args)
        except Killed:
            bench.kill(peer)

    return lambda *args: bench.spawn(run, *args)


@needs(HEIRS)
def test_a_call_is_not_run_twice(bench: Bench):
    """The next server does not run a call that a dead server may have done, and the caller gets a timeout."""
    heir = serve_with_heir(bench)

    with pytest.raises(rpc.MessagingTimeout, match="may have done toggle, or not"):
        bench.client().toggle(CTXT, "desk")
    assert heir.asked.empty()


@needs(HEIRS)
def test_an_idempotent_call_is_run_by_the_next(bench: Bench):
    """A call that may be done twice survives the death of its server."""
    heir = serve_with_heir(bench)

    assert bench.client().get(CTXT, "desk") == Lamp("desk")
    assert heir.asked.qsize() == 1


def serve_with_heir(bench: Bench) -> Keeper:
    """Start a server that dies of its first message, and then a second one; give what the second one was asked."""
    first, heir = bench.peer("lamp.a"), Keeper()

    def dies(*args: Any) -> None:
        bench.kill(first)
        bench.serve(heir, "b")

    bench.serve(Keeper(), "a", peer=first, spawn=dies)
    return heir


def begin(bench: Bench, keeper: Keeper) -> tuple[rpc.Server, Gate]:
    """Have a server begin to handle a cast that ends when the test opens the gate."""
    keeper.does["switch"] = gate = Gate()
    server = bench.serve(keeper, "a", spawn=rpc.server.in_a_thread)
    bench.client().switch(CTXT, Lamp("begun"))
    bench.deliver()
    assert gate.entered.wait(PATIENCE)
    return server, gate


def test_a_graceful_stop_finishes_what_was_begun(bench: Bench):
    """Stopping waits for the handlers that have begun, and says that they have ended."""
    server, gate = begin(bench, Keeper())
    stopped: queue.Queue[bool] = queue.Queue()
    threading.Thread(target=lambda: stopped.put(server.stop(PATIENCE))).start()

    gate.may_leave.set()

    assert stopped.get(timeout=PATIENCE) is True


def test_a_graceful_stop_takes_nothing_new(bench: Bench):
    """Later messages go to other servers, although the connection is still open."""
    keeper, heir = Keeper(), Keeper()
    server, gate = begin(bench, keeper)
    assert server.stop(0) is False, "it has not ended what it began"

    bench.client().switch(CTXT, Lamp("later"))
    bench.serve(heir, "b")

    assert bench.next(heir.asked)[1][0] == Lamp("later")
    assert keeper.asked.qsize() == 1
    gate.may_leave.set()


def test_a_slow_handler_does_not_hold_up_the_next_message(bench: Bench):
    """The next message is handled while the first handler still works."""
    gate, keeper = Gate(), Keeper()
    keeper.does["switch"] = lambda lamp, colour: gate() if lamp.name == "slow" else None
    bench.serve(keeper, spawn=rpc.server.in_a_thread)
    client = bench.client()

    client.switch(CTXT, Lamp("slow"))
    bench.deliver()
    assert gate.entered.wait(PATIENCE)
    client.switch(CTXT, Lamp("quick"))

    assert [bench.next(keeper.asked)[1][0].name for _ in range(2)] == ["slow", "quick"]
    gate.may_leave.set()
