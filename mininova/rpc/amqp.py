"""AMQP 0-9-1 through kombu: RabbitMQ, and what else speaks it.

A transport keeps one connection.  When it breaks, the reader makes a new one, with growing and uneven pauses so
that a thousand processes do not come back at once, and declares every subscription again; publishers wait for
it inside their own deadlines.
"""

import logging
import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from mininova.rpc.amqp_link import BrokerUnreachable, Link
from mininova.rpc.errors import ConnectionLost, MessagingTimeout
from mininova.rpc.transport import TOPIC, Delivery, Message, Subscription, Transport

LOG = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class AMQPTransport(Transport):
    """One process's connection to a broker.

    :param url: ``amqp://user:password@host:port/virtual_host``
    :param heartbeat: seconds of silence after which either side gives the other up
    :param prefetch: how many messages each queue's reader may have unsettled
    :param connect_wait: seconds that an unconfirmed message waits for a broker that is away
    """

    def __init__(self, url: str, *, heartbeat: float = 30.0, prefetch: int = 64, connect_wait: float = 10.0) -> None:
        self._url, self._heartbeat, self._prefetch, self._connect_wait = url, heartbeat, prefetch, connect_wait
        user = urlsplit(url.partition(";")[0]).username
        self.user_id = None if user is None else unquote(user)
        self._subscriptions: list[Subscription] = []
        self._link: Link | None = None  # once it reads every subscription
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # ---- the connection

    def start(self) -> None:
        """Connect, and begin to deliver.

        :raises BrokerUnreachable: when the first try fails; later ones are repeated until they succeed
        """
        link = self._connect()
        self._threads = [
            threading.Thread(target=self._run, args=(link,), name="amqp-reader", daemon=True),
            threading.Thread(target=self._beat, name="amqp-heartbeat", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._take_into_use(link)

    def stop(self) -> None:
        """Disconnect."""
        self._stopping.set()
        with self._changed:
            link = self._link
            self._changed.notify_all()
        if link is not None:
            link.close()
        for thread in self._threads:
            thread.join(timeout=2)
        if link is not None:
            link.cut()

    def _connect(self) -> Link:
        return Link(
            self._url,
            heartbeat=self._heartbeat,
            prefetch=self._prefetch,
            on_return=lambda message_id: self.on_return(message_id),
        )

    def _run(self, link: Link | None) -> None:
        while link is not None:
            try:
                link.read()
            except ConnectionLost as error:
                LOG.warning("%s", error)
            with self._changed:
                self._link = None
            link = self._reconnect()

    def _reconnect(self) -> Link | None:
        """Connect again, however long it takes; None when we are stopping."""
        pause = _FIRST_PAUSE
        while not self._stopping.wait(pause * random.uniform(0.5, 1.5)):
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                link = self._connect()
            except BrokerUnreachable as error:
                LOG.warning("%s", error)
                continue
            threading.Thread(target=self._restore, args=(link,), name="amqp-restore", daemon=True).start()
            return link
        return None

    def _restore(self, link: Link) -> None:
        """Take a new connection into use; aside, since that waits for what only the reader can hear."""
        try:
            self._take_into_use(link)
        except (ConnectionLost, MessagingTimeout) as error:
            LOG.warning("the new connection broke at once: %s", error)
            link.cut()
        else:
            LOG.info("connected to the broker again")

    def _take_into_use(self, link: Link) -> None:
        """Read every queue, and only then let anybody publish: what they send may be answered at once."""
        read: list[Subscription] = []
        while True:
            with self._changed:
                unread = [subscription for subscription in self._subscriptions if subscription not in read]
                if link.lost:
                    raise ConnectionLost("it was lost before it could be used")
                if not unread:
                    self._link = link
                    self._changed.notify_all()
                    break
            for subscription in unread:
                link.consume(subscription)
            read += unread
        if self._stopping.is_set():
            link.close()

    def _beat(self) -> None:
        while not self._stopping.wait(self._heartbeat / 3):
            if (link := self._link) is not None:
                link.beat()

    def _live(self, timeout: float) -> Link:
        if link := self._usable():
            return link
        with self._changed:
            self._changed.wait_for(lambda: self._usable() or self._stopping.is_set(), timeout)
            link = self._usable()
        if link is None:
            raise MessagingTimeout("the broker is away, and did not come back in time")
        return link

    def _usable(self) -> Link | None:
        link = self._link
        return None if link is None or link.lost else link

    # ---- the contract

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now and after every reconnect."""
        with self._changed:
            self._subscriptions.append(subscription)
            link = self._link
        if link is not None:
            with suppress(ConnectionLost):  # the next connection reads it
                link.consume(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop reading a queue."""
        with self._changed:
            self._subscriptions.remove(subscription)
            link = self._link
        if link is not None:
            link.cancel(subscription)

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a durable queue for others to read."""
        self._live(self._connect_wait).queue(queue, exchange, TOPIC, routing_key, durable=True)

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make a queue from which messages come back."""
        raise NotImplementedError

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a queue."""
        raise NotImplementedError

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send and forget."""
        wait = self._connect_wait if message.expiration is None else message.expiration
        self._live(wait).publish(message, kind, mandatory)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and wait until the broker has it."""
        until = time.monotonic() + timeout
        self._live(timeout).publish_confirmed(message, until - time.monotonic())
