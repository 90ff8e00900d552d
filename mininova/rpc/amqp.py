"""AMQP 0-9-1 through kombu: RabbitMQ, and what else speaks it.

A transport keeps one connection.  When it breaks, the reader makes a new one, with growing and uneven pauses so
that a thousand processes do not come back at once, and declares every subscription again; publishers wait for
it inside their own deadlines.
"""

import logging
import random
import threading
import time
from urllib.parse import urlsplit

from mininova.rpc.amqp_link import BrokerUnreachable, Link
from mininova.rpc.errors import ConnectionLost, MessagingTimeout
from mininova.rpc.transport import TOPIC, Message, Subscription, Transport

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
        self.user_id = urlsplit(url.partition(";")[0]).username
        self._subscriptions: list[Subscription] = []
        self._link: Link | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="amqp-reader", daemon=True),
            threading.Thread(target=self._beat, name="amqp-heartbeat", daemon=True),
        ]

    # ---- the connection

    def start(self) -> None:
        """Connect, and begin to deliver.

        :raises BrokerUnreachable: when the first try fails; later ones are repeated until they succeed
        """
        self._link = self._connect()
        for thread in self._threads:
            thread.start()
        for subscription in self._subscriptions:
            self._link.consume(subscription)

    def stop(self) -> None:
        """Disconnect."""
        self._stopping.set()
        with self._changed:
            link = self._link
            self._changed.notify_all()
        if link is not None:
            link.close()
            self._threads[0].join(timeout=2)
            link.cut()

    def _connect(self) -> Link:
        return Link(
            self._url,
            heartbeat=self._heartbeat,
            prefetch=self._prefetch,
            on_return=lambda message_id: self.on_return(message_id),
        )

    def _run(self) -> None:
        while True:
            link = self._link
            try:
                if link is not None:
                    link.read()
            except ConnectionLost as error:
                LOG.warning("%s", error)
            with self._changed:
                self._link = None
            if self._stopping.is_set():
                return
            self._reconnect()

    def _reconnect(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.wait(pause * random.uniform(0.5, 1.5)):
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                link = self._connect()
            except BrokerUnreachable as error:
                LOG.warning("%s", error)
                continue
            with self._changed:
                self._link = link
                self._changed.notify_all()
            threading.Thread(target=self._restore, args=(link,), name="amqp-restore", daemon=True).start()
            return

    def _restore(self, link: Link) -> None:
        """Read every queue again; aside, since it waits for what only the reader can hear."""
        try:
            for subscription in list(self._subscriptions):
                link.consume(subscription)
        except (ConnectionLost, MessagingTimeout) as error:
            LOG.warning("the new connection broke at once: %s", error)
            link.cut()
        else:
            LOG.info("connected to the broker again")

    def _beat(self) -> None:
        while not self._stopping.wait(self._heartbeat / 3):
            if (link := self._link) is not None:
                link.beat()

    def _live(self, timeout: float) -> Link:
        link = self._link
        if link is not None:
            return link
        with self._changed:
            self._changed.wait_for(lambda: self._link is not None or self._stopping.is_set(), max(0.0, timeout))
            if self._link is None:
                raise MessagingTimeout("the broker is away, and did not come back in time")
            return self._link

    # ---- the contract

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now and after every reconnect."""
        self._subscriptions.append(subscription)
        if (link := self._link) is not None:
            link.consume(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop reading a queue."""
        self._subscriptions.remove(subscription)
        if (link := self._link) is not None:
            link.cancel(subscription)

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a durable queue for others to read."""
        self._live(self._connect_wait).queue(queue, exchange, TOPIC, routing_key, durable=True)

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send and forget."""
        self._live(message.expiration or self._connect_wait).publish(message, kind, mandatory)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and wait until the broker has it."""
        until = time.monotonic() + timeout
        self._live(timeout).publish_confirmed(message, until - time.monotonic())
