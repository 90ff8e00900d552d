"""AMQP 0-9-1 through kombu: RabbitMQ, and what else speaks it.

A transport keeps one connection, to one of the addresses that it was given.  When it breaks, the reader makes a new
one, with growing and uneven pauses so that a thousand processes do not come back at once, to the next address first,
and declares every subscription again; publishers wait for it inside their own deadlines.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mininova.rpc.errors import BrokerRefused, BrokerUnreachable, ConnectionLost, MessagingTimeout, RPCError
from mininova.rpc.transports.amqp import dialects
from mininova.rpc.transports.amqp.address import Address, Passwords, addresses
from mininova.rpc.transports.amqp.confirming import Unconfirmed
from mininova.rpc.transports.amqp.connect import connect
from mininova.rpc.transports.amqp.frames import CONFIRMING, PLAIN
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.amqp.places import Missing, Places, Refused
from mininova.rpc.transports.amqp.publishing import Publishing
from mininova.rpc.transports.amqp.reading import Reading
from mininova.rpc.transports.amqp.tls import TLS
from mininova.rpc.transports.base import PATIENCE_S, TOPIC, Delivery, Message, Outage, Subscription, Transport

LOG = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class _Live:
    """A connection with its parts."""

    def __init__(self, transport: "AMQPTransport", address: Address) -> None:
        t = transport
        connection = connect(address, t.tls, heartbeat=t.heartbeat)
        self.link, dialect = Link(connection, str(address)), dialects.spoken_by(connection.server_properties)
        self.places = Places(self.link, dialect, quorum=t.quorum, declares=t.declares)
        self.publishing = Publishing(self.link, self.places, lambda message_id: t.on_return(message_id))
        self.reading = Reading(
            self.link, self.places, t.prefetch, lambda subscription: t._read_again(self, subscription)
        )


class AMQPTransport(Transport):
    """One process's connection to a broker.

    :param url: ``amqp://user:password@host:port/virtual_host``, or with several addresses: see address.py
    :param heartbeat: seconds of silence after which either side gives the other up
    :param prefetch: how many messages each queue's reader may have unsettled
    :param connect_wait: seconds that an unconfirmed message waits for a broker that is away, or takes nothing now
    :param tls: what to trust, and what to show, when the URL says ``amqps://``
    :param quorum: whether durable queues are quorum queues; all processes that declare them must agree
    :param declares: make the exchanges; False for a process whose broker user may make nothing but its own queues: it
        begins when another process has made them
    :param passwords: those to log in with instead of the one in the URL, which is tried last
    :raises ValueError: when the URL is none
    """

    def __init__(
        self,
        url: str,
        *,
        heartbeat: float = 30.0,
        prefetch: int = 64,
        connect_wait: float = 10.0,
        tls: TLS | None = None,
        quorum: bool = False,
        declares: bool = True,
        passwords: Passwords | None = None,
    ) -> None:
        found = addresses(url)
        self.user_id = found[0].user
        self.heartbeat, self.prefetch, self.tls, self.quorum = heartbeat, prefetch, tls or TLS(), quorum
        self.declares, self._connect_wait, self._passwords = declares, connect_wait, passwords
        self._addresses = deque(random.sample(found, len(found)))  # not all processes are to begin with the same
        self._subscriptions: list[Subscription] = []
        self._live: _Live | None = None  # once it reads every subscription
        self._pause, self._outage = _FIRST_PAUSE, Outage()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # ---- the connection

    def start(self) -> None:
        """Connect, and begin to deliver.

        A connection that breaks before it is in use is made again, by the reader, as any later one is.

        :raises BrokerUnreachable: when no address can be reached; later such tries are repeated until one succeeds
        :raises BrokerRefused: when none of the brokers that can be reached lets us in
        :raises Refused: when the broker will not declare what we want to read
        """
        live = self._connect()
        self._threads = [
            threading.Thread(target=self._run, args=(live,), name="amqp-reader", daemon=True),
            threading.Thread(target=self._beat, name="amqp-heartbeat", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._take_into_use(live)
        except Missing as error:
            self._wait_for_it(live, error)
        except (ConnectionLost, MessagingTimeout) as error:
            self._broke_at_once(live, error)
        except RPCError:
            self._stopping.set()
            live.link.close()
            raise

    def stop(self) -> None:
        """Disconnect."""
        self._stopping.set()
        with self._changed:
            live = self._live
            self._changed.notify_all()
        if live is not None:
            live.link.close()
        for thread in self._threads:
            thread.join(timeout=2)
        if live is not None:
            live.link.cut()

    def _connect(self) -> _Live:
        """Try each address once, beginning with the one after that of the last connection."""
        why: list[BrokerUnreachable] = []
        for _ in range(len(self._addresses)):
            address = self._addresses[0]
            self._addresses.rotate(-1)
            try:
                return self._log_in(address)
            except BrokerUnreachable as error:
                why.append(error)
        kind = BrokerRefused if all(isinstance(error, BrokerRefused) for error in why) else BrokerUnreachable
        raise kind("; ".join(map(str, why)))

    def _log_in(self, address: Address) -> _Live:
        """Connect to an address, with the first password that is good there."""
        if self._passwords is None:
            return _Live(self, address)
        for password in self._passwords.to_try():
            with suppress(BrokerRefused):
                live = _Live(self, replace(address, password=password))
                self._passwords.worked(password)
                return live
        return _Live(self, address)

    def _run(self, live: _Live | None) -> None:
        while live is not None:
            try:
                live.link.read()
            except ConnectionLost as error:
                self._outage.say(error)
            with self._changed:
                self._live = None
            live = self._reconnect()

    def _reconnect(self) -> _Live | None:
        """Connect again, however long it takes; None when we are stopping."""
        while not self._stopping.wait(self._pause * random.uniform(0.5, 1.5)):
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            try:
                live = self._connect()
            except BrokerUnreachable as error:
                self._outage.say(error)
                continue
            threading.Thread(target=self._restore, args=(live,), name="amqp-restore", daemon=True).start()
            return live
        return None

    def _restore(self, live: _Live) -> None:
        """Take a new connection into use; aside, since that waits for what only the reader can hear."""
        self.restored_at = time.monotonic()  # before a thread that waits for it sends anything
        try:
            self._take_into_use(live)
        except (ConnectionLost, MessagingTimeout) as error:
            self._broke_at_once(live, error)
        except Refused as error:
            self._outage.say(error, "cannot read every queue again, and tries until it can: %s", logging.ERROR)
            live.link.cut()
        else:
            LOG.info("connected to the broker again")
            self._tell_restored()

    def _take_into_use(self, live: _Live) -> None:
        """Read every queue, and only then allow publishing: a message that is sent may be answered at once."""
        read = set[Subscription]()
        while True:
            with self._changed:
                unread = [subscription for subscription in self._subscriptions if subscription not in read]
                if live.link.lost:
                    raise ConnectionLost("it was lost before it could be used")
                if not unread:
                    self._live, self._pause = live, _FIRST_PAUSE
                    self._outage.is_over()
                    self._changed.notify_all()
                    break
            for subscription in unread:
                live.reading.consume(subscription, PATIENCE_S)
            read.update(unread)
        if self._stopping.is_set():
            live.link.close()

    def _read_again(self, live: _Live, subscription: Subscription) -> None:
        """Read a queue again that was deleted; aside, as above."""
        LOG.warning("the broker has us read %s no more; reading it again", subscription.queue)

        def read() -> None:
            try:
                with self._changed:
                    wanted = subscription in self._subscriptions
                if wanted:
                    live.reading.consume(subscription, PATIENCE_S)
            except RPCError as error:
                LOG.warning("could not read %s again: %s", subscription.queue, error)
                live.link.cut()  # the next connection begins with nothing, and tries until it can
            else:
                self._tell_restored()

        threading.Thread(target=read, name="amqp-restore", daemon=True).start()

    def _wait_for_it(self, live: _Live, error: Missing) -> None:
        """Have the reader connect again, with growing pauses, until what we do not make is there."""
        self._outage.say(error, "%s; waiting until it is made")
        live.link.cut()

    def _broke_at_once(self, live: _Live, error: RPCError) -> None:
        self._outage.say(error, "the new connection broke at once: %s")
        live.link.cut()

    def _beat(self) -> None:
        while not self._stopping.wait(self.heartbeat / 3):
            if (live := self._live) is not None:
                live.link.beat()

    def _wait_until_live(self, timeout: float) -> _Live:
        if live := self._usable():
            return live
        with self._changed:
            self._changed.wait_for(lambda: self._usable() or self._stopping.is_set(), timeout)
            live = self._usable()
        if live is None:
            raise MessagingTimeout("the broker is away, and did not come back in time", definite=True)
        return live

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can be sent at once."""
        return self._usable() is not None

    def _usable(self) -> _Live | None:
        live = self._live
        return None if live is None or live.link.lost else live

    # ---- the contract

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue, now and after every reconnect.

        :raises Refused: when the broker will not declare it
        :raises MessagingTimeout: when it does not answer
        """
        with self._changed:
            self._subscriptions.append(subscription)
            live = self._live
        if live is not None:
            try:
                live.reading.consume(subscription, PATIENCE_S)
            except ConnectionLost:
                return  # the next connection reads it
            except Missing as error:
                self._wait_for_it(live, error)
            except RPCError:
                with self._changed:
                    self._subscriptions.remove(subscription)
                raise

    def unsubscribe(self, subscription: Subscription, timeout: float = PATIENCE_S) -> None:
        """Stop reading a queue."""
        with self._changed:
            self._subscriptions.remove(subscription)
            live = self._live
        if live is not None:
            live.reading.cancel(subscription, timeout)

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a durable queue for others to read."""
        live = self._wait_until_live(self._connect_wait)
        live.places.queue_for_others(queue, exchange, routing_key, PATIENCE_S)

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make a durable queue from which messages come back after a while."""
        live = self._wait_until_live(self._connect_wait)
        live.places.pause(queue, exchange, routing_key, seconds=seconds, back_to=back_to, timeout=PATIENCE_S)

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a durable queue."""
        return self._wait_until_live(self._connect_wait).reading.take_all(queue, PATIENCE_S)

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send and forget."""
        timeout = self._connect_wait if message.expiration is None else message.expiration
        until = time.monotonic() + timeout
        live = self._wait_until_live(timeout)
        live.link.write(live.publishing.ready(PLAIN, message, until, kind=kind, mandatory=mandatory))

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and wait until the broker has it."""
        until = time.monotonic() + timeout
        live = self._wait_until_live(timeout)
        confirming, sent = live.publishing.confirming, Unconfirmed(message)
        sent.data = live.publishing.ready(CONFIRMING, message, until)
        confirming.publish(sent)
        if (error := confirming.outcome(sent, until - time.monotonic())) is not None:
            raise error

    def publish_all(self, messages: Sequence[Message], timeout: float) -> Sequence[Exception | None]:
        """Send, and wait until the broker has them all."""
        until = time.monotonic() + timeout
        try:
            live = self._wait_until_live(timeout)
        except MessagingTimeout as error:
            return [error] * len(messages)
        return live.publishing.publish_all(messages, until - time.monotonic())
