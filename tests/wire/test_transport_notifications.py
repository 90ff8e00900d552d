"""Notifications from a notifier to a listener, over every transport: what may be lost, doubled or given up."""

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc import parking
from mininova.rpc.notify.messaging import Messaging
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Bench, Gate, MemoryBench


class Ears:
    """A handler that hands on what it hears, after it has failed as often as it was told to.

    :ivar heard: the notifications
    :ivar failed: one for each failure
    """

    def __init__(self, failures: int = 0) -> None:
        self.heard: queue.Queue[rpc.Notification] = queue.Queue()
        self.failed: queue.Queue[rpc.Notification] = queue.Queue()
        self._failures = failures

    def __call__(self, notification: rpc.Notification) -> None:
        """Hear one."""
        if self.failed.qsize() < self._failures:
            self.failed.put(notification)
            raise LookupError("no such lamp")
        self.heard.put(notification)


def listen(bench: Bench, handler: Any, *, peer: rpc.Peer | None = None, **how: Any) -> rpc.Listener:
    """Start a listener on queues that are the test's own."""
    workers = 0 if isinstance(bench, MemoryBench) else 1
    how = {"topics": [f"told-{bench.mark}"], "priorities": ["info"], "workers": workers, **how}
    listener = rpc.Listener(peer or bench.peer("ears"), handler, **how)
    listener.start()
    return listener


def notifier_of(bench: Bench, **how: Any) -> rpc.Notifier:
    """Make a notifier that tells those."""
    peer = bench.peer("lamp.a")
    drivers = [Messaging(peer, topic=f"told-{bench.mark}", **how)]
    return rpc.Notifier(peer, "lamp.a", drivers=drivers)


def test_a_listener_hears_what_was_told_before_it_came(bench: Bench):
    """The queue is durable, and the order is kept."""
    told = notifier_of(bench)
    for lamp in ("desk", "hall"):
        told.info(CTXT, "lamp.on", {"name": lamp})
    ears = Ears()

    listen(bench, ears)

    assert [bench.next(ears.heard).payload["name"] for _ in range(2)] == ["desk", "hall"]


def test_a_listener_knows_who_sent_it(bench: Bench):
    """The broker vouches for that, and for no publisher: also when it comes again after a failure."""
    ears, host = Ears(failures=1), bench.peer("host", user="compute.host-1")
    listen(bench, ears, peer=bench.peer("ears", user="manage"), pauses=[0])

    rpc.Notifier(host, "conductor.ctl-1", drivers=[Messaging(host, topic=f"told-{bench.mark}")]).info(CTXT, "on", {})

    heard = [bench.next(ears.heard), bench.next(ears.failed)]  # in this order, for it fails once while none is taken
    assert [(one.sender, one.publisher_id) for one in heard] == [("compute.host-1", "conductor.ctl-1")] * 2


def test_pools_hear_everything_each(bench: Bench):
    """Their queues are apart."""
    billing, watching = Ears(), Ears()
    listen(bench, billing, pool="billing")
    listen(bench, watching, pool="watching")

    notifier_of(bench).info(CTXT, "lamp.on", {})

    assert bench.next(billing.heard).message_id == bench.next(watching.heard).message_id


def test_what_a_listener_was_killed_over_is_heard_by_the_next(bench: Bench):
    """It was not acknowledged."""
    gate, second = Gate(), Ears()
    peer = bench.peer("ears")
    listen(bench, gate, peer=peer, workers=1)
    notifier_of(bench).info(CTXT, "lamp.on", {})
    bench.deliver()
    assert gate.entered.wait(PATIENCE)

    bench.kill(peer)
    listen(bench, second)

    assert bench.next(second.heard).event_type == "lamp.on"
    gate.may_leave.set()


def test_a_failure_is_tried_again_and_no_other_pool_hears_of_it(bench: Bench):
    """After its pauses, in which others are heard."""
    ears, others = Ears(failures=2), Ears()
    listen(bench, ears, pool="billing", pauses=[0, 0.05])
    listen(bench, others, pool="watching")
    told = notifier_of(bench)

    told.info(CTXT, "lamp.on", {})

    assert bench.next(ears.heard).event_type == "lamp.on"
    told.info(CTXT, "lamp.off", {})
    assert [bench.next(others.heard).event_type for _ in range(2)] == ["lamp.on", "lamp.off"]


def test_what_always_fails_is_parked_and_can_be_heard_again(bench: Bench):
    """With the reason beside it."""
    ears = Ears(failures=2)
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    listen(bench, ears, peer=bench.peer("ears", watch=rpc.Flow(events.put)), pool="billing", pauses=[0])
    notifier_of(bench).info(CTXT, "lamp.on", {})
    while bench.next(events).kind != "parked":
        pass

    keeper = bench.peer("keeper")
    (parked,) = parking.parked(keeper, f"told-{bench.mark}.info.billing")
    assert parked.error == "LookupError: no such lamp"
    parked.send_again(keeper)

    assert bench.next(ears.heard).event_type == "lamp.on"


def test_a_listener_hears_another_exchange(bench: Bench):
    """Of a Nova beside ours, say."""
    there = rpc.Peer(bench.transport(), name="nova", exchange=f"nova-{bench.mark}")
    there.start()
    bench.peers.append(there)
    ears = Ears()
    listen(bench, ears, exchange=f"nova-{bench.mark}")

    rpc.Notifier(there, "compute.far", topic=f"told-{bench.mark}").info({}, "lamp.on", {})

    assert bench.next(ears.heard).publisher_id == "compute.far"


# ---- the broker dies


@pytest.fixture
def mortal(private_broker: PrivateBroker) -> Iterator[AMQPBench]:
    """Give a bench on a broker that may be killed; it is there again afterwards."""
    made = AMQPBench(private_broker.url)
    yield made
    made.close()


def test_nothing_that_is_told_is_lost_with_the_broker(mortal: AMQPBench, private_broker: PrivateBroker):
    """What the broker had is on its disk; what is told while it is away waits, and holds nobody up."""
    ears = Ears()
    listen(mortal, ears, pool="billing")
    told = notifier_of(mortal, background=True)
    told.info(CTXT, "lamp.on", {"name": "before"})
    assert told.flush(PATIENCE)

    private_broker.kill()
    for lamp in ("while it is away", "as well"):
        told.info(CTXT, "lamp.on", {"name": lamp})
    assert not told.flush(0)
    private_broker.start()

    heard = {mortal.next(ears.heard).payload["name"]}
    while heard != {"before", "while it is away", "as well"}:
        heard.add(mortal.next(ears.heard).payload["name"])
    told.stop(PATIENCE)
