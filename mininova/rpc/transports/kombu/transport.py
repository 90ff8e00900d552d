"""A transport by plain kombu: connections, exchanges, queues, a producer and consumers, and no frames of our own.

A process has two connections: reader.py reads on one, and publisher.py publishes on the other.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kombu import Connection
from msgspec.structs import replace

from mininova.rpc.errors import BrokerRefused, BrokerUnreachable, Undeliverable
from mininova.rpc.transports.base import PATIENCE_S, TOPIC, Delivery, Message, Subscription, Transport
from mininova.rpc.transports.kombu import terms
from mininova.rpc.transports.kombu.brokers import PAUSES, VOUCHES, place
from mininova.rpc.transports.kombu.publisher import Publisher
from mininova.rpc.transports.kombu.reader import Reader

LOG = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds for each step of getting in
_REFUSED = (403, 530)  # AMQP's reply codes: a wrong password, or no such virtual host


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
        self._connect_wait = connect_wait
        self._at_once: dict[str, str] = {}  # the key of a pause that cannot be → where its messages go at once
        self._reader = Reader(
            partial(self._connect, heartbeat), lambda bell, timeout: self._publisher.ring(bell, timeout),
            heartbeat=heartbeat, prefetch=prefetch, vouched=VOUCHES not in self.lacks,
            on_lost=lambda: self._publisher.renew(), on_restored=self._restored,
        )  # fmt: skip
        self._publisher = Publisher(
            partial(self._connect, 0),  # without a heartbeat: a receipt is one
            self._reader.reads,
            returns=self._place.broker.returns,
        )

    def start(self) -> None:
        """Connect, and begin to deliver.

        :raises BrokerUnreachable: when the broker cannot be reached; later such tries are repeated until one succeeds
        :raises BrokerRefused: when it does not let us in
        """
        self._reader.start()

    def stop(self) -> None:
        """Disconnect."""
        self._reader.stop()
        self._publisher.close()

    def _connect(self, heartbeat: float) -> Any:
        connection = Connection(
            self._place.url,
            transport=self._place.broker.transport,
            heartbeat=heartbeat,
            connect_timeout=_PATIENCE,
            transport_options={**self._place.options(), **self._options},
        )
        try:
            connection.connect()
        except Exception as error:  # kombu has no base class for what the libraries below it raise
            connection.collect()
            kind = BrokerRefused if getattr(error, "reply_code", 0) in _REFUSED else BrokerUnreachable
            raise kind(f"no broker lets us in at {connection.as_uri()}: {error}") from None
        return connection

    def _restored(self) -> None:
        self.restored_at = time.monotonic()
        try:
            self.on_restored()
        except Exception:  # the connection is in use all the same
            LOG.exception("what follows a new connection failed")

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can be sent at once."""
        return self._reader.reads.is_set() and not self._publisher.closed

    # ---- reading

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now and after every reconnect."""
        self._reader.subscribe(subscription)

    def unsubscribe(self, subscription: Subscription, timeout: float = PATIENCE_S) -> None:
        """Stop reading a queue."""
        self._reader.unsubscribe(subscription, timeout)

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a durable queue."""
        return self._reader.waiting(queue)

    # ---- places

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a durable queue for others to read."""
        self._publisher.declare(terms.queue(queue, exchange, routing_key), self._connect_wait)

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make a durable queue from which messages come back after a while, or have them come back at once."""
        if PAUSES in self.lacks:
            self._at_once[routing_key] = back_to
        else:
            paused = terms.pause(queue, exchange, routing_key, seconds=seconds, back_to=back_to)
            self._publisher.declare(paused, self._connect_wait)

    # ---- publishing

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send; kombu waits for the broker's receipt all the same."""
        timeout = self._connect_wait if message.expiration is None else message.expiration
        if not self._publisher.send(message, kind, timeout) and mandatory:
            self.on_return(message.message_id)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and return when the broker has it."""
        if back_to := self._at_once.get(message.routing_key):
            message = replace(message, routing_key=back_to)
        if not self._publisher.send(message, TOPIC, timeout):
            raise Undeliverable(f"nothing serves {message.routing_key}", target=message.routing_key)
