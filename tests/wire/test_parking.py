"""Casts that failed too often: they are parked, listed, and sent again, over every transport."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mininova import rpc
from mininova.rpc import envelope, parking
from mininova.rpc.server import MOST_DELIVERIES
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.kombu.brokers import HEIRS, KNOWS
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp, LampBroken, broken, needs

Park = Callable[..., None]


@pytest.fixture
def keeper() -> Keeper:
    """Give a server of lamps whose ``switch`` fails."""
    return Keeper(switch=broken)


@pytest.fixture
def park(bench: Bench, keeper: Keeper) -> Park:
    """Give a function that sends a cast whose last try fails, and returns when it is parked."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    bench.serve(keeper, "a", watch=rpc.Flow(events.put))
    client = bench.peer()

    def park(name: str, key: str = f"{bench.topic}.a") -> None:
        body = envelope.pack_request(
            rpc.Request(method="switch", args={"lamp": {"name": name}}, context=CTXT, unique_id=name)
        )
        message = Message(
            body=body, exchange=bench.exchange, routing_key=key, message_id=name, persistent=True,
            deliveries=MOST_DELIVERIES - 1, headers={"traceparent": "00-1-2-01"},
        )  # fmt: skip
        client.transport.publish_confirmed(message, 10)
        while (event := bench.next(events)).kind != "parked":
            pass
        assert (event.message_id, event.error) == (name, "LampBroken: the filament is gone")

    return park


@contextmanager
def visitor(bench: Bench) -> Iterator[rpc.Peer]:
    """Connect a peer for a while, as an operator's command does."""
    peer = bench.peer("visitor")
    yield peer
    bench.peers.remove(peer)
    peer.stop()


def looked_at(bench: Bench) -> list[str]:
    """Name the parked casts, in order."""
    with visitor(bench) as peer:
        return [one.id for one in parking.parked(peer, bench.topic)]


def test_a_parked_cast_says_why(bench: Bench, park: Park):
    """The parked cast has the error, its sender's trace, its routing key and the number of its deliveries."""
    park("desk")
    (one,) = parking.parked(bench.peer(), bench.topic)
    assert (one.key, one.error) == (f"{bench.topic}.a", "LampBroken: the filament is gone")
    assert (one.message.deliveries, one.message.persistent) == (MOST_DELIVERIES, True)
    assert one.message.headers["traceparent"] == "00-1-2-01"
    assert one.since is not None
    assert one.request is not None
    assert one.request.args == {"lamp": {"name": "desk"}}


@needs(KNOWS)
def test_nothing_was_ever_parked(bench: Bench):
    """Before the first cast is parked there is no queue, and the list is empty."""
    with pytest.raises(rpc.Undeliverable):
        parking.parked(bench.peer(), bench.topic)


def test_looking_leaves_all_in_its_order(bench: Bench, park: Park):
    """An operator who only looks changes nothing."""
    for name in ("one", "two", "three"):
        park(name)
    assert [looked_at(bench) for _ in range(3)] == [["one", "two", "three"]] * 3


@needs(KNOWS)
def test_a_cast_that_is_sent_again_runs(bench: Bench, park: Park, keeper: Keeper):
    """Once the cause is mended, the cast runs at the host that it was for, and is not parked again."""
    other = Keeper()
    bench.serve(other, "b")
    park("desk")
    bench.next(keeper.asked)
    keeper.does["switch"] = lambda *args: None

    with visitor(bench) as peer:
        (one,) = parking.parked(peer, bench.topic)
        one.send_again(peer)

    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))
    assert looked_at(bench) == []
    assert other.asked.empty()


def test_a_cast_that_is_sent_again_has_all_its_tries(bench: Bench, park: Park, keeper: Keeper):
    """Its count of deliveries begins anew: a first failure does not park it again."""
    left = [1]

    def fails_once(*args: object) -> None:
        if left.pop():
            left.append(0)
            raise LampBroken("not yet")

    park("desk")
    bench.next(keeper.asked)
    keeper.does["switch"] = fails_once

    with visitor(bench) as peer:
        (one,) = parking.parked(peer, bench.topic)
        one.send_again(peer)

    assert [bench.next(keeper.asked)[0] for _ in range(2)] == ["switch"] * 2


def test_a_dropped_cast_is_gone_and_the_rest_stays(bench: Bench, park: Park):
    """Settling a cast in the middle leaves the others as they were."""
    for name in ("one", "two", "three"):
        park(name)
    with visitor(bench) as peer:
        parking.parked(peer, bench.topic)[1].drop()
    assert looked_at(bench) == ["one", "three"]


def test_a_cast_without_a_receiver_stays_parked(bench: Bench, park: Park):
    """If no queue takes it, the operator gets an error, and the cast stays parked."""
    park("desk")
    with visitor(bench) as peer:
        (one,) = parking.parked(peer, bench.topic)
        one.key = f"{bench.topic}.gone"
        with pytest.raises(rpc.Undeliverable, match="gone"):
            one.send_again(peer)
    assert looked_at(bench) == ["desk"]


@needs(HEIRS)
def test_a_process_killed_while_looking_loses_nothing(bench: Bench, park: Park):
    """The broker gives back the casts that a dead process had taken."""
    for name in ("one", "two"):
        park(name)
    peer = bench.peer()
    assert len(parking.parked(peer, bench.topic)) == 2
    bench.kill(peer)

    parked = bench.listen(parking.queue_of(bench.topic))
    assert [bench.next(parked).message_id for _ in range(2)] == ["one", "two"]
