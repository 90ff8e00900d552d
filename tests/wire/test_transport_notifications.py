"""Notifications from a notifier to a listener, over every transport: what is lost, doubled or parked."""

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc import parking
from mininova.rpc.notify.messaging import Messaging
from mininova.rpc.transports.kombu.brokers import HEIRS, VOUCHES
from tests.fixtures.private_broker import ON_RABBITMQ, PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Bench, Gate, MemoryBench, needs


class Ears:
    """A handler that passes on what it hears, after it has failed as often as a test asks.

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
    """Start a listener on the test's own queues."""
    workers = 0 if isinstance(bench, MemoryBench) else 1
    how = {"topics": [f"told-{bench.mark}"], "priorities": ["info"], "workers": workers, **how}
    listener = rpc.Listener(peer or bench.peer("ears"), handler, **how)
    listener.start()
    return listener


def notifier_of(bench: Bench, **how: Any) -> rpc.Notifier:
    """Make a notifier that sends to those queues."""
    peer = bench.peer("lamp.a")
    drivers = [Messaging(peer, topic=f"told-{bench.mark}", **how)]
    return rpc.Notifier(peer, "lamp.a", drivers=drivers)


def test_a_listener_gets_earlier_notifications(bench: Bench):
    """The queue is durable, and keeps the order."""
    told = notifier_of(bench)
    for lamp in ("desk", "hall"):
        told.info(CTXT, "lamp.on", {"name": lamp})
    ears = Ears()

    listen(bench, ears)

    assert [bench.next(ears.heard).payload["name"] for _ in range(2)] == ["desk", "hall"]


@needs(VOUCHES)
def test_a_listener_knows_the_sender(bench: Bench):
    """The broker vouches for the sender's user, also after a failure; the publisher's name proves nothing."""
    ears, host = Ears(failures=1), bench.peer("host", user="compute.host-1")
    listen(bench, ears, peer=bench.peer("ears", user="manage"), pauses=[0])

    rpc.Notifier(host, "conductor.ctl-1", drivers=[Messaging(host, topic=f"told-{bench.mark}")]).info(CTXT, "on", {})

    heard = [bench.next(ears.heard), bench.next(ears.failed)]  # in this order, for it fails once while none is taken
    assert [(one.sender, one.publisher_id) for one in heard] == [("compute.host-1", "conductor.ctl-1")] * 2


def test_each_pool_hears_everything_over_the_wire(bench: Bench):
    """Each pool has a queue of its own."""
    billing, watching = Ears(), Ears()
    listen(bench, billing, pool="billing")
    listen(bench, watching, pool="watching")

    notifier_of(bench).info(CTXT, "lamp.on", {})

    assert bench.next(billing.heard).message_id == bench.next(watching.heard).message_id


@needs(HEIRS)
def test_a_killed_listeners_notification_goes_to_the_next(bench: Bench):
    """The killed listener had not acknowledged it."""
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
    """It comes again after pauses, in which others are heard."""
    ears, others = Ears(failures=2), Ears()
    listen(bench, ears, pool="billing", pauses=[0, 0.05])
    listen(bench, others, pool="watching")
    told = notifier_of(bench)

    told.info(CTXT, "lamp.on", {})

    assert bench.next(ears.heard).event_type == "lamp.on"
    told.info(CTXT, "lamp.off", {})
    assert [bench.next(others.heard).event_type for _ in range(2)] == ["lamp.on", "lamp.off"]


def test_a_failing_notification_is_parked_and_can_be_heard_again(bench: Bench):
    """The parked notification has the reason beside it."""
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
    """A listener can read the exchange of a Nova beside ours."""
    there = rpc.Peer(bench.transport(), name="nova", exchange=f"nova-{bench.mark}")
    there.start()
    bench.peers.append(there)
    ears = Ears()
    listen(bench, ears, exchange=f"nova-{bench.mark}")

    rpc.Notifier(there, "compute.far", topic=f"told-{bench.mark}").info({}, "lamp.on", {})

    assert bench.next(ears.heard).publisher_id == "compute.far"


# ---- the broker dies


@pytest.fixture
def mortal(any_broker: PrivateBroker) -> Iterator[AMQPBench]:
    """Give a bench on a broker that a test may kill; it runs again afterwards."""
    made = AMQPBench(any_broker.url)
    yield made
    made.close()


@ON_RABBITMQ
def test_no_notification_is_lost_with_the_broker(mortal: AMQPBench, any_broker: PrivateBroker):
    """The broker keeps notifications on its disk; those emitted while it is away wait, and their senders do not."""
    ears = Ears()
    listen(mortal, ears, pool="billing")
    told = notifier_of(mortal, background=True)
    told.info(CTXT, "lamp.on", {"name": "before"})
    assert told.flush(PATIENCE)

    any_broker.kill()
    for lamp in ("while it is away", "as well"):
        told.info(CTXT, "lamp.on", {"name": lamp})
    assert not told.flush(0)
    any_broker.start()

    heard = {mortal.next(ears.heard).payload["name"]}
    while heard != {"before", "while it is away", "as well"}:
        heard.add(mortal.next(ears.heard).payload["name"])
    told.stop(PATIENCE)
