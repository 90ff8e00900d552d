"""The outbox: notifications wait there for the broker, so their senders need not."""

import queue
import threading

import pytest

from mininova.rpc import ConnectionLost, MessageRefused, Undeliverable
from mininova.rpc.notify.outbox import Outbox, OutboxFull
from mininova.rpc.transports.base import Message

PATIENCE = 20.0


def message(name, size=10):
    """Make a message of some bytes."""
    return Message(body=b"x" * size, exchange="e", routing_key="notifications.info", message_id=name)


class Broker:
    """Takes a message each time that a test lets it, or raises the error that the test chose."""

    def __init__(self):
        self.outcomes: queue.Queue[Exception | None] = queue.Queue()
        self.taken: queue.Queue[str] = queue.Queue()
        self.asked = threading.Semaphore(0)

    def publish(self, messages, timeout):
        """Wait for the next outcome that a test chose."""
        return [self._publish(message) for message in messages]

    def _publish(self, message):
        self.asked.release()
        if error := self.outcomes.get(timeout=PATIENCE):
            return error
        return self.taken.put(message.message_id)

    def will(self, *outcomes):
        """Choose the outcomes of the next messages."""
        for outcome in outcomes:
            self.outcomes.put(outcome)


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def make_outbox(broker):
    """Make outboxes, and end their threads."""
    made = []

    def make(**how):
        made.append(Outbox(broker.publish, **how))
        return made[-1]

    yield make
    for outbox in made:
        outbox.stop(0)
    broker.will(*[None] * 20)


def test_senders_do_not_wait_for_the_broker_and_the_order_is_kept(broker, make_outbox):
    """Senders put messages while the broker takes none; they reach it in order when it does."""
    outbox = make_outbox()
    for name in "abc":
        outbox.put(message(name))
    assert not outbox.flush(0)

    broker.will(None, None, None)

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["a", "b", "c"]


def test_a_broker_that_is_away_is_tried_until_it_is_back(broker, make_outbox, caplog):
    """No message is lost or overtaken meanwhile, and the log has one line that they wait."""
    outbox = make_outbox()
    outbox.put(message("a"))
    outbox.put(message("b"))

    broker.will(ConnectionLost("gone"), Undeliverable("its queue is full"), None, None)

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["a", "b"]
    assert caplog.messages == ["notifications wait for the broker: gone"]


def test_a_batch_is_sent_together_and_keeps_its_order(broker, make_outbox):
    """If one message of a batch was not taken, those behind it are sent again after it, once, however often it is
    retried.
    """
    outbox = make_outbox()
    outbox.put(message("a"))
    assert broker.asked.acquire(timeout=PATIENCE)
    for name in "bcd":
        outbox.put(message(name))

    full = Undeliverable("its queue is full")
    broker.will(None, None, full, None, full, None, None)

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["a", "b", "d", "c", "d"]


def test_an_impossible_message_is_logged_and_the_next_one_goes(broker, make_outbox, caplog):
    """One bad message must not hold up all others."""
    outbox = make_outbox()
    outbox.put(message("a"))
    outbox.put(message("b"))

    broker.will(ValueError("no such thing can be written"), None)

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["b"]
    assert caplog.messages == ["a notification to notifications.info is lost: no such thing can be written (a)"]


def test_a_message_too_large_for_the_broker_does_not_hold_up_the_others(broker, make_outbox, caplog):
    """The broker would refuse a message too large each time; one that lacks a permission waits until an operator grants
    it.
    """
    outbox = make_outbox()
    outbox.put(message("a"))
    outbox.put(message("b"))

    broker.will(MessageRefused("too large", code=406), MessageRefused("no right", code=403), None)

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["b"]
    assert caplog.messages == [
        "a notification to notifications.info is lost: too large (a)", "notifications wait for the broker: no right"
    ]  # fmt: skip


def test_memory_is_bounded(broker, make_outbox):
    """A full outbox refuses a message, so that its sender can log it; when there is room again, it takes the next."""
    outbox = make_outbox(room=25)
    outbox.put(message("a"))
    outbox.put(message("b"))
    with pytest.raises(OutboxFull, match="2 notifications wait"):
        outbox.put(message("c"))

    broker.will(None, None, None)
    assert outbox.flush(PATIENCE)
    outbox.put(message("d"))

    assert outbox.flush(PATIENCE)
    assert list(broker.taken.queue) == ["a", "b", "d"]


def test_a_stop_sends_what_waits(broker, make_outbox):
    """It sends all that is queued, and takes nothing more."""
    outbox = make_outbox()
    outbox.put(message("a"))
    broker.will(None)

    outbox.stop(PATIENCE)

    assert list(broker.taken.queue) == ["a"]
    with pytest.raises(OutboxFull):
        outbox.put(message("b"))


def test_a_stop_without_a_broker_says_what_is_lost(broker, make_outbox, caplog):
    """It stops at its deadline, and logs the messages that are lost."""
    outbox = make_outbox()
    outbox.put(message("a"))
    outbox.put(message("b"))
    assert broker.asked.acquire(timeout=PATIENCE)

    outbox.stop(0)

    assert caplog.messages == ["the broker is away: 2 notifications are lost with this process"]
