"""One live connection to an AMQP 0-9-1 broker: what amqp.AMQPTransport makes anew each time the old one breaks.

One thread reads and any thread writes.  Nobody but the reader may wait for the wire, so every method is sent
with ``nowait``; confirms and returns come in through the reader and are matched here to whoever waits for them.
That is also what pipelines the publishers.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
from amqp import spec

from mininova.rpc.errors import ConnectionLost, MessagingTimeout, RPCError, Undeliverable
from mininova.rpc.transport import TOPIC, Delivery, Message, Subscription, Waiter

DELIVERIES = "x-mininova-deliveries"
_UNREAD_FOR = 600_000  # ms after which the broker removes a queue that is not durable and that nobody reads


class BrokerUnreachable(RPCError):
    """The broker could not be reached, or did not let us in."""


class _Unconfirmed:
    """A published message whose confirm has not come yet."""

    def __init__(self, message: Message) -> None:
        self.message, self.waiter, self.returned = message, Waiter(), False


class Link:
    """A connection with three channels: to publish plainly, to publish confirmed (and declare), to read.

    :param heartbeat: seconds of silence after which either side gives the other up
    :param prefetch: how many messages each reader may have unsettled
    :param on_return: told the message_id of a plain mandatory message that no queue took
    :raises BrokerUnreachable: in words that name the broker
    """

    def __init__(self, url: str, *, heartbeat: float, prefetch: int, on_return: Callable[[str], None]) -> None:
        source = kombu.Connection(url, heartbeat=heartbeat, connect_timeout=5)
        self.errors = (*source.connection_errors, *source.channel_errors, OSError, AttributeError)
        try:
            source.connect()
            self._connection: Any = source.connection
            self._plain, self._confirming, self._reading = (self._connection.channel() for _ in range(3))
            self._confirming.confirm_select()
            self._reading.basic_qos(0, prefetch, False)
        except (*source.connection_errors, *source.channel_errors, OSError) as error:
            raise BrokerUnreachable(f"no broker lets us in at {source.as_uri()}: {error}") from None
        self._on_return = on_return
        self._plain.events["basic_return"].add(self._plain_returned)
        self._confirming.events["basic_return"].add(self._confirming_returned)
        self._confirming.events["basic_ack"].add(self._confirmed)
        self._confirming.events["basic_nack"].add(self._refused)
        self._lock = threading.Lock()
        self._published = 0
        self._unconfirmed: dict[int, _Unconfirmed] = {}
        self._exchanges: set[str] = set()
        self._lost = False

    # ---- reading

    def read(self) -> None:
        """Deliver what comes in until the connection ends; then everybody who waits for a confirm is told."""
        try:
            while True:
                self._connection.drain_events()
        except self.errors as error:
            if not self._lost:
                raise ConnectionLost(f"the connection to the broker broke: {error}") from None
        finally:
            self._lost = True
            for unconfirmed in list(self._unconfirmed.values()):
                unconfirmed.waiter.set(error=ConnectionLost("the broker went away before it confirmed"))

    def beat(self) -> None:
        """Send a heartbeat if it is time; give the broker up if its own have stopped."""
        try:
            with self._lock:
                self._connection.heartbeat_tick()
        except self.errors:
            self.cut()

    def close(self) -> None:
        """Say goodbye; the reader ends when the broker has answered."""
        self._lost = True
        with suppress(*self.errors), self._lock:
            self._connection.send_method(spec.Connection.Close, "BsBB", (200, "", 0, 0))

    def cut(self) -> None:
        """End the connection at once, so that the reader notices."""
        with suppress(*self.errors):
            self._connection.sock.shutdown(socket.SHUT_RDWR)

    # ---- places

    def exchange(self, name: str, kind: str) -> None:
        """Declare an exchange, once; the default one needs none."""
        if name and name not in self._exchanges:
            self._send(self._confirming.exchange_declare, name, kind, durable=True, auto_delete=False, nowait=True)
            self._settle()
            self._exchanges.add(name)

    def queue(self, name: str, exchange: str, kind: str, key: str, *, durable: bool) -> None:
        """Declare a queue and bind it, and return when the broker has done so."""
        self.exchange(exchange, kind)
        arguments = {} if durable else {"x-expires": _UNREAD_FOR}
        self._send(
            self._confirming.queue_declare,
            name, durable=durable, exclusive=False, auto_delete=False, arguments=arguments, nowait=True,
        )  # fmt: skip
        self._send(self._confirming.queue_bind, name, exchange, key, nowait=True)
        self._settle()

    def _settle(self, timeout: float = 10.0) -> None:
        """Wait for all that was declared: a channel works in order, so a confirm says that it is done."""
        self.publish_confirmed(
            Message(body=b"{}", exchange="", routing_key="mininova.nowhere", message_id=uuid4().hex),
            timeout,
            mandatory=False,
        )

    def consume(self, subscription: Subscription) -> None:
        """Declare a subscription's queue and read it."""
        s = subscription
        self.queue(s.queue, s.exchange, s.kind, s.routing_key, durable=s.durable)
        self._reading.callbacks[s.queue] = lambda raw: s.on_delivery(self._delivery(raw, s))
        self._send(
            self._reading.basic_consume,
            s.queue, consumer_tag=s.queue, no_ack=s.no_ack, nowait=True, callback=self._reading.callbacks[s.queue],
        )  # fmt: skip

    def cancel(self, subscription: Subscription) -> None:
        """Stop reading a queue."""
        self._send(self._reading.basic_cancel, subscription.queue, nowait=True)

    def _delivery(self, raw: Any, subscription: Subscription) -> Delivery:
        properties, info = raw.properties, raw.delivery_info
        expiration = properties.get("expiration")
        message = Message(
            body=raw.body,
            exchange=info["exchange"],
            routing_key=info["routing_key"],
            message_id=properties.get("message_id", ""),
            reply_to=properties.get("reply_to"),
            app_id=properties.get("app_id", ""),
            user_id=properties.get("user_id"),
            expiration=int(expiration) / 1000 if expiration else None,
            persistent=properties.get("delivery_mode") == 2,
            deliveries=(properties.get("application_headers") or {}).get(DELIVERIES, 0),
        )

        def settle(done: bool) -> None:
            if not subscription.no_ack:
                # On a connection that broke meanwhile there is nothing to settle: the broker has taken it back.
                with suppress(ConnectionLost):
                    if done:
                        self._send(self._reading.basic_ack, raw.delivery_tag)
                    else:
                        self._send(self._reading.basic_reject, raw.delivery_tag, True)

        return Delivery(message, info["redelivered"], settle)

    # ---- writing

    def publish(self, message: Message, kind: str, mandatory: bool) -> None:
        """Send and forget."""
        self.exchange(message.exchange, kind)
        self._send(self._transmit, self._plain, message, mandatory)

    def publish_confirmed(self, message: Message, timeout: float, *, mandatory: bool = True) -> None:
        """Send, and wait until the broker has it."""
        self.exchange(message.exchange, TOPIC)
        unconfirmed = _Unconfirmed(message)
        tag = self._send(self._transmit_numbered, unconfirmed, mandatory)
        try:
            if not unconfirmed.waiter.wait(timeout):
                raise MessagingTimeout(f"the broker did not confirm a message to {message.routing_key} in time")
        finally:
            self._unconfirmed.pop(tag, None)
        if unconfirmed.waiter.error is not None:
            raise unconfirmed.waiter.error

    def _transmit_numbered(self, unconfirmed: _Unconfirmed, mandatory: bool) -> int:
        self._published += 1
        self._unconfirmed[self._published] = unconfirmed
        self._transmit(self._confirming, unconfirmed.message, mandatory)
        return self._published

    def _transmit(self, channel: Any, message: Message, mandatory: bool) -> None:
        raw = channel.prepare_message(
            message.body,
            content_type="application/json",
            content_encoding="utf-8",
            headers={DELIVERIES: message.deliveries} if message.deliveries else None,
            properties={
                "delivery_mode": 2 if message.persistent else 1,
                "message_id": message.message_id,
                "app_id": message.app_id,
                **({"user_id": message.user_id} if message.user_id else {}),
                **({"reply_to": message.reply_to} if message.reply_to else {}),
                **({"expiration": str(int(message.expiration * 1000))} if message.expiration is not None else {}),
            },
        )
        # Not basic_publish: that would read from the socket to see whether the broker has blocked us.
        args = (0, message.exchange, message.routing_key, mandatory, False)
        channel.send_method(spec.Basic.Publish, "Bssbb", args, raw)

    def _send(self, write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._lost:
            raise ConnectionLost("there is no connection to the broker")
        try:
            with self._lock:
                return write(*args, **kwargs)
        except self.errors as error:
            self.cut()
            raise ConnectionLost(f"the connection to the broker broke: {error}") from None

    # ---- what the broker says of what was written; these run in the reader

    def _confirmed(self, tag: int, multiple: bool) -> None:
        for unconfirmed in self._up_to(tag, multiple):
            message = unconfirmed.message
            unconfirmed.waiter.set(
                error=Undeliverable(f"nobody serves {message.routing_key}", target=message.routing_key)
                if unconfirmed.returned
                else None
            )

    def _refused(self, tag: int, multiple: bool) -> None:
        for unconfirmed in self._up_to(tag, multiple):
            key = unconfirmed.message.routing_key
            unconfirmed.waiter.set(error=Undeliverable(f"the broker refused a message to {key}", target=key))

    def _up_to(self, tag: int, multiple: bool) -> list[_Unconfirmed]:
        tags = [each for each in self._unconfirmed if each <= tag] if multiple else [tag]
        return [found for each in tags if (found := self._unconfirmed.get(each))]

    def _confirming_returned(self, error: Exception, exchange: str, key: str, raw: Any) -> None:
        message_id = raw.properties.get("message_id")
        for unconfirmed in list(self._unconfirmed.values()):
            if unconfirmed.message.message_id == message_id:
                unconfirmed.returned = True

    def _plain_returned(self, error: Exception, exchange: str, key: str, raw: Any) -> None:
        self._on_return(raw.properties.get("message_id", ""))
