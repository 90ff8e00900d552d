"""A transport by plain kombu: connections, exchanges, queues, a producer and consumers, and no frames of our own.

A process has two connections.  On one it publishes: threads take turns, and each waits for the broker's receipt.  On
the other a thread of its own reads, because kombu's channels are for one thread each.  Others leave that thread an
order and ring: they send a message to a queue of its own.  So it wakes for messages only, whatever the broker is, and
now and then to show that it is alive.

terms.py says our places and messages in kombu's words; brokers.py has what each broker needs, and what it cannot do.
"""

import logging
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from uuid import uuid4

from kombu import Connection, Consumer, Producer, Queue
from msgspec.structs import replace

from mininova.rpc.errors import (
    BrokerRefused,
    BrokerUnreachable,
    ConnectionLost,
    MessagingTimeout,
    RPCError,
    Undeliverable,
)
from mininova.rpc.transports.base import PATIENCE_S, TOPIC, Delivery, Message, Outage, Subscription, Transport, Waiter
from mininova.rpc.transports.kombu import terms
from mininova.rpc.transports.kombu.brokers import PAUSES, VOUCHES, place

LOG = logging.getLogger(__name__)

_LOGIN_S = 5.0  # for each step of getting in
_REFUSED = (403, 530)  # AMQP's reply codes: a wrong password, or no such virtual host
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0  # between two tries to connect again
_MOMENT_S = 1.0  # in which a reader that is not cut off has done an order, so we wait for that in any case
_LOST = ConnectionLost("there is no connection to the broker")


class KombuTransport(Transport):
    """One process's connections to a broker.

    :param url: ``kombu+amqp://``, ``kombu+redis://``, ``kombu+filesystem://`` or ``kombu+memory://``: see brokers.py
    :param heartbeat: seconds of silence after which either side gives the other up, where the broker can do that
    :param prefetch: how many messages each queue's reader may have unsettled
    :param connect_wait: seconds that an unconfirmed message waits for a broker that is away
    :param options: more of kombu's ``transport_options``
    :ivar lacks: the promises that the broker cannot keep, of those in brokers.py
    :raises ValueError: when the URL is none
    """

    def __init__(
        self,
        url: str,
        *,
        heartbeat: float = 30.0,
        prefetch: int = 64,
        connect_wait: float = 10.0,
        options: Mapping[str, Any] = {},
    ) -> None:
        self._place, self._options = place(url), options
        self.lacks, self.user_id = self._place.broker.lacks, self._place.user
        self._heartbeat, self._prefetch, self._connect_wait = heartbeat, prefetch, connect_wait
        self._stopping, self._reads = threading.Event(), threading.Event()  # all queues are read
        self._outage = Outage()

        self._producer: Any = None
        self._turn, self._made_at = threading.Lock(), 0.0
        self._closed = False
        self._sent = self._returned = False  # the message whose turn it is
        self._at_once: dict[str, str] = {}  # the key of a pause that cannot be → where its messages go at once

        self._reader = threading.Thread(target=self._read, name="kombu-reader", daemon=True)
        self._orders: deque[tuple[Callable[[], Any], Waiter]] = deque()
        self._bell = f"bell_{uuid4().hex}"
        self._wanted: list[Subscription] = []
        self._consumers: dict[Subscription, Consumer] = {}
        self._in_hand: dict[int, Any] = {}
        self._settling = threading.Lock()

    def start(self) -> None:
        """Connect, and begin to deliver.

        :raises BrokerUnreachable: when the broker cannot be reached; later such tries are repeated until one succeeds
        :raises BrokerRefused: when it does not let us in
        """
        self._begin()
        self._reader.start()

    def stop(self) -> None:
        """Disconnect."""
        self._stopping.set()
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            if self._reads.is_set():
                self._ring(_MOMENT_S)
            self._reader.join(timeout=PATIENCE_S)
        self._closed = True
        self._reads.set()  # a thread that waits to send gets an error
        with self._turn:
            self._drop()

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can be sent at once."""
        return self._reads.is_set() and not self._closed

    def _connect(self, heartbeat: float) -> Any:
        connection = Connection(
            self._place.url,
            transport=self._place.broker.transport,
            heartbeat=heartbeat,
            connect_timeout=_LOGIN_S,
            transport_options={**self._place.options(), **self._options},
        )
        try:
            connection.connect()
        except Exception as error:  # kombu has no base class for what the libraries below it raise
            connection.collect()
            kind = BrokerRefused if getattr(error, "reply_code", 0) in _REFUSED else BrokerUnreachable
            raise kind(f"no broker lets us in at {connection.as_uri()}: {error}") from None
        return connection

    # ---- publishing

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send; kombu waits for the broker's receipt all the same."""
        timeout = self._connect_wait if message.expiration is None else message.expiration
        if not self._send(message, kind, timeout) and mandatory:
            self.on_return(message.message_id)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and return when the broker has it."""
        key = self._at_once.get(message.routing_key, message.routing_key)
        if not self._send(replace(message, routing_key=key), TOPIC, timeout):
            raise Undeliverable(f"nothing serves {key}", target=key)

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a durable queue for others to read."""
        self._make(terms.queue(queue, exchange, routing_key))

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make a durable queue from which messages come back after a while, or have them come back at once."""
        if PAUSES in self.lacks:
            self._at_once[routing_key] = back_to
        else:
            self._make(terms.pause(queue, exchange, routing_key, seconds=seconds, back_to=back_to))

    def _make(self, queue: Queue) -> None:
        with self._producing(self._connect_wait) as producer:
            queue(producer.channel).declare()

    def _send(self, message: Message, kind: str, timeout: float) -> bool:
        """Send, wait until the broker has it, and tell whether a queue took it."""
        until, exchange = time.monotonic() + timeout, terms.exchange(message.exchange, kind)
        with self._producing(timeout, message) as producer:
            producer.maybe_declare(exchange)
            if not self._place.broker.returns and terms.leads_nowhere(producer.channel, message):
                return False
            self._sent = True
            producer.publish(
                message.body, exchange=exchange, routing_key=message.routing_key, mandatory=kind == TOPIC,
                confirm_timeout=max(0.001, until - time.monotonic()), **terms.properties(message),
            )  # fmt: skip
            return not self._returned

    @contextmanager
    def _producing(self, timeout: float, message: Message | None = None) -> Iterator[Producer]:
        """Give the producer to one thread at a time, and turn kombu's errors into ours.

        After an error the connection is dropped: a receipt that came late would count for the next message.
        """
        until = time.monotonic() + timeout
        if not self._reads.wait(timeout) or not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            raise MessagingTimeout("the broker is away, and did not come back in time", definite=True)
        try:
            self._sent = self._returned = False
            yield self._live_producer()
        except Exception as error:  # as above
            self._drop()
            raise terms.error(error, message, definite=not self._sent) from error
        finally:
            self._turn.release()

    def _live_producer(self) -> Producer:
        if self._closed:
            raise MessagingTimeout("the transport has stopped", definite=True)
        if self._made_at < self.restored_at:  # the broker was away
            self._drop()
        if self._producer is None:
            on_return = self._on_return if self._place.broker.returns else None
            self._made_at = time.monotonic()
            self._producer = Producer(self._connect(0), on_return=on_return)  # without a heartbeat: a receipt is one
        return self._producer

    def _on_return(self, *returned: Any) -> None:
        self._returned = True

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        with suppress(Exception):  # as above; it is of no use any more, or there is none
            producer.connection.collect()

    def _ring(self, timeout: float) -> None:
        """Wake the reader; one that is away wakes by itself."""
        with suppress(RPCError), self._producing(timeout) as producer:
            producer.publish(b"", exchange="", routing_key=self._bell, confirm_timeout=timeout)

    # ---- reading: what others ask of the reader's thread

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now and after every reconnect."""
        self._wanted.append(subscription)
        with suppress(ConnectionLost):  # the next connection reads it
            self._order(partial(self._consume, subscription))

    def unsubscribe(self, subscription: Subscription, timeout: float = PATIENCE_S) -> None:
        """Stop reading a queue."""
        self._wanted.remove(subscription)
        with suppress(ConnectionLost, MessagingTimeout):
            self._order(partial(self._cancel, subscription), timeout)

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a durable queue."""
        taken: Sequence[Delivery] = self._order(partial(self._take_all, queue))
        return taken

    def _order(self, work: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
        """Have the reader's thread do something, and give what it gave."""
        if threading.current_thread() is self._reader:
            return work()
        if not self._reads.is_set():
            raise _LOST
        waiter = Waiter()
        self._orders.append((work, waiter))
        until = time.monotonic() + max(timeout, _MOMENT_S)
        self._ring(until - time.monotonic())
        if not waiter.wait(until - time.monotonic()):
            raise MessagingTimeout("the broker did not answer in time")
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    # ---- reading: the reader's thread

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                self._deliver()
            except Exception as error:  # as above
                self._outage.say(error, "the connection to the broker broke: %s")
                self._reads.clear()
                while self._orders:
                    self._orders.popleft()[1].set(error=_LOST)
                self._connection.collect()
                self._reconnect()
        self._reads.clear()
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
            self._connection.heartbeat_check()
            self._place.broker.tend(self._connection)

    def _reconnect(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stopping.wait(pause * random.uniform(0.5, 1.5)) and not self._reads.is_set():
            self.restored_at = time.monotonic()  # before a thread that waits for it sends anything
            try:
                self._begin()
            except Exception as error:  # as above
                self._outage.say(error)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                self._outage.is_over()
                LOG.info("connected to the broker again")
                threading.Thread(target=self._tell_restored, name="kombu-restored", daemon=True).start()

    def _begin(self) -> None:
        """Connect, and read every queue, each on a channel of its own: so it has its own prefetch everywhere."""
        self._connection = self._connect(self._heartbeat)
        try:
            self._channels = defaultdict[str, Any](self._connection.channel)
            self._consumers, self._in_hand = {}, {}
            bell = terms.queue(self._bell, "", self._bell, durable=False)
            Consumer(self._channels[self._bell], [bell], no_ack=True, on_message=lambda rung: None).consume()
            for subscription in list(self._wanted):
                self._consume(subscription)
            self._reads.set()
            for subscription in list(self._wanted):  # that came meanwhile
                self._consume(subscription)
        except Exception:  # as above
            self._connection.collect()
            raise

    def _consume(self, subscription: Subscription) -> None:
        """Declare a queue and read it."""
        s = subscription
        if s in self._consumers or s not in self._wanted:
            return
        consumer = self._consumers[s] = Consumer(
            self._channels[s.queue], [terms.queue(s.queue, s.exchange, s.routing_key, kind=s.kind, durable=s.durable)],
            no_ack=s.no_ack, on_message=partial(self._take, s), prefetch_count=s.prefetch or self._prefetch,
        )  # fmt: skip
        consumer.consume()
        with suppress(TimeoutError):  # kombu tells Redis of a fanout that we want to hear when it waits next
            self._connection.drain_events(timeout=0.001)

    def _cancel(self, subscription: Subscription) -> None:
        if (consumer := self._consumers.pop(subscription, None)) is not None:
            consumer.cancel()
            if not subscription.durable:
                consumer.queues[0].delete()

    def _take(self, subscription: Subscription, came: Any) -> None:
        if self._stopping.is_set():  # kombu waits for what Redis was asked already, and puts it back
            return
        try:
            subscription.on_delivery(self._delivery(came, no_ack=subscription.no_ack))
        except Exception:  # one message must not end the reading of all
            LOG.exception("a message on %s could not be taken", subscription.queue)

    def _take_all(self, queue: str) -> list[Delivery]:
        channel, taken = self._channels[queue], list[Delivery]()
        try:
            channel.queue_declare(queue, passive=True)
        except self._connection.channel_errors:
            del self._channels[queue]  # the broker has closed it
            raise Undeliverable(f"there is no queue {queue}", target=queue) from None
        while (came := channel.basic_get(queue, no_ack=False)) is not None:
            taken.append(self._delivery(channel.message_to_python(came)))
        return taken

    def _delivery(self, came: Any, *, no_ack: bool = False) -> Delivery:
        if not no_ack:
            self._in_hand[id(came)] = came
        message = terms.message(came, vouched=VOUCHES not in self.lacks)
        return Delivery(message, terms.redelivered(came), partial(self._settle, came))

    def _settle(self, came: Any, done: bool) -> None:
        """Acknowledge, or give back: from any thread, since it only sends."""
        with suppress(Exception), self._settling:  # if the connection broke, the broker has it back
            if self._in_hand.pop(id(came), None) is not None:
                came.ack() if done else came.requeue()
