"""The connection that reads.

One thread has it all to itself, because kombu's channels are for one thread each.  Others leave the thread an order,
and ring: they send a message to a queue of its own.  So it wakes for messages only, whatever the broker is, and now and
then to show that it is alive.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from kombu import Consumer

from mininova.rpc.errors import ConnectionLost, MessagingTimeout, Undeliverable
from mininova.rpc.transports.base import PATIENCE_S, Delivery, Subscription, Waiter
from mininova.rpc.transports.kombu import terms

LOG = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_MOMENT_S = 1.0  # in which a reader that is not cut off has done an order, so we wait for that in any case
_LOST = ConnectionLost("there is no connection to the broker")


class Reader:
    """Read queues, and read them again each time the connection is made anew.

    :param connect: makes a connection, or raises BrokerUnreachable
    :param ring: sends a message to a queue, within some seconds
    :param heartbeat: seconds of silence after which either side gives the other up
    :param prefetch: how many messages a reader may have unsettled that does not say
    :param vouched: whether the broker vouches for the users that messages name
    :param on_lost: called when the connection is lost
    :param on_restored: called, aside, when all is read again after that
    :ivar reads: set while all queues are read; cleared when the connection is lost
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        ring: Callable[[str, float], None],
        *,
        heartbeat: float,
        prefetch: int,
        vouched: bool,
        on_lost: Callable[[], None],
        on_restored: Callable[[], None],
    ) -> None:
        self._connect, self._ring, self._on_lost, self._on_restored = connect, ring, on_lost, on_restored
        self._heartbeat, self._prefetch, self._vouched = heartbeat, prefetch, vouched
        self._wanted: list[Subscription] = []
        self._connection: Any = None
        self._consumers: dict[Subscription, Consumer] = {}
        self._channels: dict[str, Any] = {}
        self._in_hand: dict[int, Any] = {}
        self._orders: deque[tuple[Callable[[], Any], Waiter]] = deque()
        self._bell = f"bell_{uuid4().hex}"
        self._settling, self._tended = threading.Lock(), 0.0
        self.reads, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="kombu-reader", daemon=True)

    def start(self) -> None:
        """Connect, read all queues, and deliver from now on."""
        self._begin()
        self._thread.start()

    def stop(self) -> None:
        """End; the broker has back what is unsettled."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            if self.reads.is_set():
                self._ring(self._bell, _MOMENT_S)
            self._thread.join(timeout=PATIENCE_S)

    # ---- what others ask

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now or when the broker is there."""
        self._wanted.append(subscription)
        with suppress(ConnectionLost):  # the next connection reads it
            self._order(partial(self._consume, subscription, at_once=True))

    def unsubscribe(self, subscription: Subscription, timeout: float) -> None:
        """Read a queue no more, and return when nothing more can come, or when the time is over."""
        self._wanted.remove(subscription)
        with suppress(ConnectionLost, MessagingTimeout):
            self._order(partial(self._cancel, subscription), timeout)

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take all that waits in a queue.

        :raises Undeliverable: there is no such queue
        """
        taken: Sequence[Delivery] = self._order(partial(self._take_all, queue))
        return taken

    def _order(self, work: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
        """Have the reader's thread do something, and give what it gave."""
        if threading.current_thread() is self._thread:
            return work()
        waiter = Waiter()
        self._orders.append((work, waiter))
        if not self.reads.is_set():
            raise _LOST
        until = time.monotonic() + max(timeout, _MOMENT_S)
        self._ring(self._bell, until - time.monotonic())
        if not waiter.wait(until - time.monotonic()):
            raise MessagingTimeout("the broker did not answer in time")
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    # ---- the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._deliver()
            except Exception as error:  # kombu has no base class for what the libraries below it raise
                LOG.warning("the connection to the broker broke: %s", error)
                self.reads.clear()
                while self._orders:
                    self._orders.popleft()[1].set(error=_LOST)
                self._on_lost()
                self._connection.collect()
                self._reconnect()
        self.reads.clear()
        for came in list(self._in_hand.values()):  # in their order, which kombu does not keep when it does so
            self._settle(came, False)
        with suppress(Exception):  # as above
            self._connection.release()

    def _deliver(self) -> None:
        while not self._stopping.is_set():
            while self._orders:
                work, waiter = self._orders.popleft()
                try:
                    waiter.set(work())
                except Exception as error:  # the thread that asked raises it
                    waiter.set(error=error)
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=self._heartbeat / 4)
            self._tend()

    def _tend(self) -> None:
        """Do what kombu has timers for where its own event loop runs.

        Show that we are alive; and have Redis give to others what killed receivers had in hand for too long.
        """
        self._connection.heartbeat_check()
        if time.monotonic() > self._tended + self._heartbeat / 4:
            self._tended = time.monotonic()
            if restore := getattr(getattr(self._connection.transport, "cycle", None), "maybe_restore_messages", None):
                restore()

    def _reconnect(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.wait(pause * random.uniform(0.5, 1.5)) and not self.reads.is_set():
            try:
                self._begin()
            except Exception as error:  # as above
                LOG.warning("%s", error)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                LOG.info("connected to the broker again")
                threading.Thread(target=self._on_restored, name="kombu-restored", daemon=True).start()

    def _begin(self) -> None:
        """Connect, and read every queue."""
        self._connection = self._connect()
        try:
            self._read_all()
        except Exception:  # as above
            self._connection.collect()
            raise

    def _read_all(self) -> None:
        self._consumers, self._channels, self._in_hand = {}, {}, {}
        bell = terms.queue(self._bell, "", self._bell, durable=False)
        Consumer(self._connection.channel(), [bell], no_ack=True, on_message=lambda rung: None).consume()
        for subscription in list(self._wanted):
            self._consume(subscription)
        self.reads.set()
        for subscription in list(self._wanted):
            self._consume(subscription)  # if it came meanwhile

    # ---- queues

    def _consume(self, subscription: Subscription, *, at_once: bool = False) -> None:
        """Declare a queue and read it: each on a channel of its own, for its own prefetch."""
        if subscription in self._consumers or subscription not in self._wanted:
            return
        s, channel = subscription, self._channel(subscription.queue)
        consumer = Consumer(
            channel, [terms.queue_of(s)], no_ack=s.no_ack, on_message=partial(self._take, s),
            prefetch_count=self._prefetch if s.prefetch is None else s.prefetch,
        )  # fmt: skip
        consumer.consume()
        self._consumers[subscription] = consumer
        if at_once:  # Redis is told of a fanout that we want to hear when kombu waits next
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0.001)

    def _channel(self, name: str) -> Any:
        if name not in self._channels:
            self._channels[name] = self._connection.channel()
        return self._channels[name]

    def _cancel(self, subscription: Subscription) -> None:
        if (consumer := self._consumers.pop(subscription, None)) is not None:
            consumer.cancel()
            if not subscription.durable:
                for queue in consumer.queues:
                    queue.delete()

    def _take(self, subscription: Subscription, came: Any) -> None:
        if self._stopping.is_set():  # kombu waits for what Redis was asked already, and puts it back
            return
        try:
            subscription.on_delivery(self._delivery(came, no_ack=subscription.no_ack))
        except Exception:  # one message must not end the reading of all
            LOG.exception("a message on %s could not be taken", subscription.queue)

    def _take_all(self, queue: str) -> list[Delivery]:
        channel, taken = self._channel(queue), []
        try:
            channel.queue_declare(queue, passive=True)
        except self._connection.channel_errors:
            del self._channels[queue]  # the broker has closed it
            raise Undeliverable(f"there is no queue {queue}", target=queue) from None
        while (came := channel.basic_get(queue, no_ack=False)) is not None:
            taken.append(self._delivery(channel.message_to_python(came)))
        return taken

    def _delivery(self, came: Any, *, no_ack: bool = False) -> Delivery:
        settle = partial(self._settle, came) if not no_ack else lambda done: None
        if not no_ack:
            self._in_hand[id(came)] = came
        return Delivery(terms.message(came, vouched=self._vouched), terms.redelivered(came), settle)

    def _settle(self, came: Any, done: bool) -> None:
        """Acknowledge, or give back: from any thread, since it only sends."""
        try:
            with self._settling:
                if self._in_hand.pop(id(came), None) is not None:
                    came.ack() if done else came.requeue()
        except Exception as error:  # the connection broke, and the broker has it back
            LOG.debug("could not settle a message: %s", error)
