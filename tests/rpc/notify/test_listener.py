"""Listeners, over the broker in memory, where each notification is handled as it is delivered."""

import pytest

from mininova import rpc
from mininova.rpc import parking
from mininova.rpc.transports.base import Message
from tests.fixtures.rpc_bench import MemoryBench

CTXT = {"request_id": "req-1"}


@pytest.fixture
def bench():
    """Give a broker in memory."""
    return MemoryBench()


class Ears:
    """A handler that remembers what it heard, and fails as often as a test asks.

    :ivar heard: the notifications that it did not fail at
    :ivar tried: the types of all
    """

    def __init__(self, failures=0):
        self.heard, self.tried, self._failures = [], [], failures

    def __call__(self, notification):
        self.tried.append(notification.event_type)
        if len(self.tried) <= self._failures:
            raise LookupError("no such lamp")
        self.heard.append(notification)

    @property
    def types(self):
        """Name the types of the heard notifications."""
        return [notification.event_type for notification in self.heard]


def listen(bench, handler, **how):
    """Start a listener that works where notifications arrive."""
    listener = rpc.Listener(bench.peer("ears"), handler, workers=0, **how)
    listener.start()
    return listener


def test_a_listener_gets_all_that_was_emitted(bench):
    """The handler gets the priority, the publisher, the type, the payload and the context as they were emitted."""
    ears = Ears()
    listen(bench, ears)

    rpc.Notifier(bench.peer(), "lamp.a").error(CTXT, "lamp.broken", {"name": "desk"})
    bench.deliver()

    (heard,) = ears.heard
    assert (heard.event_type, heard.payload) == ("lamp.broken", {"name": "desk"})
    assert (heard.publisher_id, heard.priority, heard.context) == ("lamp.a", "error", CTXT)


def test_a_listener_chooses_priorities_and_topics(bench):
    """It hears only those; the other notifications wait in their queues."""
    ears = Ears()
    listen(bench, ears, priorities=["error"], topics=["notifications", "versioned"])

    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    rpc.Notifier(bench.peer(), "lamp.a").error(CTXT, "lamp.broken", {})
    rpc.Notifier(bench.peer(), "lamp.a", topic="versioned").error(CTXT, "lamp.lost", {})
    bench.deliver()

    assert ears.types == ["lamp.broken", "lamp.lost"]


def test_listeners_without_a_pool_share(bench):
    """Each notification goes to one of them."""
    one, other = Ears(), Ears()
    listen(bench, one)
    listen(bench, other)

    for _ in range(4):
        rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    bench.deliver()

    assert len(one.heard) + len(other.heard) == 4
    assert one.heard
    assert other.heard


def test_each_pool_hears_everything(bench):
    """Each pool has a queue of its own, and so have the listeners without a pool."""
    billing, watching, shared = Ears(), Ears(), Ears()
    listen(bench, billing, pool="billing")
    listen(bench, watching, pool="watching")
    listen(bench, shared)

    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    bench.deliver()

    assert billing.types == watching.types == shared.types == ["lamp.on"]


def test_a_pool_fills_while_no_listener_runs(bench):
    """A pool's queue takes notifications from its first start on, also while no listener runs."""
    listen(bench, Ears(), pool="billing").stop()
    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})

    ears = Ears()
    listen(bench, ears, pool="billing")
    bench.deliver()

    assert ears.types == ["lamp.on"]


def test_a_handler_that_fails_gets_it_again(bench, caplog):
    """The notification comes again to this handler and to no other pool; the log has the failure."""
    ears, others = Ears(failures=2), Ears()
    listen(bench, ears, pool="billing")
    listen(bench, others, pool="watching")

    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    bench.deliver()

    assert (ears.tried, ears.types, others.tried) == (["lamp.on"] * 3, ["lamp.on"], ["lamp.on"])
    assert "lamp.on failed, delivery 2" in caplog.text


def test_a_notification_that_always_fails_is_parked(bench, caplog):
    """After five deliveries it is parked with notes on its failure, and the next one is heard."""
    ears = Ears(failures=5)
    listen(bench, ears, pool="billing")

    notifier = rpc.Notifier(bench.peer(), "lamp.a")
    notifier.info(CTXT, "lamp.on", {})
    bench.deliver()
    notifier.info(CTXT, "lamp.off", {})
    bench.deliver()

    assert (ears.tried, ears.types) == (["lamp.on"] * 5 + ["lamp.off"], ["lamp.off"])
    (parked,) = parking.parked(bench.peer(), "notifications.info.billing")
    assert (parked.error, parked.key) == ("LookupError: no such lamp", "notifications.info.billing")
    assert "parked notification lamp.on" in caplog.text


def test_a_parked_notification_can_be_heard_again(bench):
    """An operator who has mended the handler sends the parked notification again."""
    ears = Ears(failures=5)
    listen(bench, ears, pool="billing")
    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    bench.deliver()

    keeper = bench.peer()
    for parked in parking.parked(keeper, "notifications.info.billing"):
        parked.send_again(keeper)
    bench.deliver()

    assert ears.types == ["lamp.on"]


def test_an_unreadable_notification_is_parked_at_once(bench, caplog):
    """Another delivery could not be read either."""
    ears = Ears()
    listen(bench, ears)
    peer = bench.peer()

    peer.transport.publish_confirmed(
        Message(
            body=b"gibberish", exchange=peer.notification_exchange, routing_key="notifications.info", message_id="m"
        ),
        1,
    )
    bench.deliver()

    assert ears.tried == []
    assert len(parking.parked(bench.peer(), "notifications.info")) == 1
    assert "parked a notification that cannot be read" in caplog.text


def test_a_listener_that_stops_gives_back_what_it_did_not_begin(bench):
    """Another listener hears those."""
    second = Ears()

    def first(notification):
        listener.stop()

    listener = listen(bench, first)
    notifier = rpc.Notifier(bench.peer(), "lamp.a")
    notifier.info(CTXT, "lamp.on", {})
    notifier.info(CTXT, "lamp.off", {})
    bench.deliver()
    listen(bench, second)
    bench.deliver()

    assert second.types == ["lamp.off"]


def test_hearing_is_an_event(bench):
    """A watch sees that a notification was received and handled."""
    events = []
    listener = rpc.Listener(bench.peer("ears", watch=rpc.Flow(events.append)), Ears(), workers=0)
    listener.start()
    rpc.Notifier(bench.peer(), "lamp.a").info(CTXT, "lamp.on", {})
    bench.deliver()

    assert [(event.kind, event.pattern, event.method) for event in events] == [
        ("received", "notification", "lamp.on"),
        ("replied", "notification", "lamp.on"),
    ]
