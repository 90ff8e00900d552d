"""One live connection to an AMQP 0-9-1 broker: what amqp.AMQPTransport makes anew each time the old one breaks.

One thread reads, one sends, and any thread publishes.  Nobody else may wait for the wire, so every method is sent
with ``nowait``; confirms and returns come in through the reader and are matched here to whoever waits for them.
That is also what pipelines the publishers, and what lets many messages go in one piece (amqp_wire).
"""

import logging
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
from amqp import spec
from amqp.exceptions import FrameSyntaxError
from amqp.method_framing import frame_handler, frame_writer
from kombu.exceptions import KombuError

from mininova.rpc.amqp_wire import FrameReader, FrameWriter
from mininova.rpc.errors import ConnectionLost, MessagingTimeout, RPCError, Undeliverable
from mininova.rpc.transport import TOPIC, Delivery, Message, Subscription, Waiter

LOG = logging.getLogger(__name__)

DELIVERIES = "x-mininova-deliveries"
_UNREAD_FOR = 600_000  # ms after which the broker removes a queue that is not durable and that nobody reads
_HEADER, _SIZES = 2, 12  # the kind of frame that has properties, and its bytes before them (AMQP 0-9-1, 4.2.6.1)


class BrokerUnreachable(RPCError):
    """The broker could not be reached, or did not let us in."""


class _Unconfirmed:
    """A published message whose confirm has not come yet."""

    def __init__(self, message: Message) -> None:
        self.message, self.waiter, self.returned = message, Waiter(), False


def _frame_handler(connection: Any, callback: Callable[..., Any]) -> Callable[[tuple[int, int, bytes]], Any]:
    """Read frames as amqp does, but not let properties that cannot be decoded end the connection: they are left out.

    Otherwise one message could keep a service from reading its queue for ever, for it would come again.
    """
    on_frame = frame_handler(connection, callback)

    def on_any_frame(frame: tuple[int, int, bytes]) -> Any:
        kind, channel, payload = frame
        try:
            return on_frame(frame)
        except (UnicodeDecodeError, FrameSyntaxError, struct.error, IndexError):
            if kind != _HEADER:
                raise
            return on_frame((kind, channel, payload[:_SIZES] + b"\0\0"))

    return on_any_frame


class Link:
    """A connection with three channels: to publish plainly, to publish confirmed (and declare), to read.

    :param heartbeat: seconds of silence after which either side gives the other up
    :param prefetch: how many messages each reader may have unsettled
    :param on_return: told the message_id of a plain mandatory message that no queue took
    :raises BrokerUnreachable: in words that name the broker
    """

    def __init__(self, url: str, *, heartbeat: float, prefetch: int, on_return: Callable[[str], None]) -> None:
        options = {"frame_handler": _frame_handler}
        source = kombu.Connection(url, heartbeat=heartbeat, connect_timeout=5, transport_options=options)
        self.errors = (*source.connection_errors, *source.channel_errors, KombuError, OSError, AttributeError)
        try:
            source.ensure_connection(max_retries=max(0, len(source.alt) - 1), interval_start=0, interval_step=0)
            self._connection: Any = source.connection
            self._plain, self._confirming, self._reading = (self._connection.channel() for _ in range(3))
            self._confirming.confirm_select()
            self._reading.basic_qos(0, prefetch, False)
        except self.errors as error:
            source.collect()
            raise BrokerUnreachable(f"no broker lets us in at {source.as_uri()}: {error}") from None
        self._socket: socket.socket = self._connection.sock
        self._reader = FrameReader(self._socket.recv)
        self._writer = FrameWriter(self._connection.transport.write, self.cut)
        self._connection.frame_writer = frame_writer(self._connection, self._writer)
        self._on_return = on_return
        self._reading.auto_decode = False  # a body is bytes, whatever it says of itself
        self._reading._callbacks[spec.Basic.CancelOk] = self._cancelled
        self._plain.events["basic_return"].add(self._plain_returned)
        self._confirming.events["basic_return"].add(self._confirming_returned)
        self._confirming.events["basic_ack"].add(self._confirmed)
        self._confirming.events["basic_nack"].add(self._refused)
        self._lock = threading.Lock()
        self._published = 0
        self._unconfirmed: dict[int, _Unconfirmed] = {}
        self._cancelling: dict[str, Waiter] = {}
        self._exchanges: set[str] = set()
        self.lost = self._closing = False
        threading.Thread(target=self._writer.run, name="amqp-writer", daemon=True).start()

    # ---- reading

    def read(self) -> None:
        """Deliver what comes in until the connection ends; then everybody who waits for the broker is told.

        :raises ConnectionLost: when it was not we who ended it
        """
        try:
            while self._connection.connected:
                self._connection.on_inbound_frame(self._reader.read())
        except Exception as error:  # amqp raises what it likes when the wire breaks under it
            if not self._closing:
                raise ConnectionLost(f"the connection to the broker broke: {error}") from None
        finally:
            self._end()

    def _end(self) -> None:
        self.cut()  # so that the writer takes all that waits, and nobody waits to write and so has the lock
        with self._lock:
            self._connection.collect()
        self._writer.end()
        for unconfirmed in list(self._unconfirmed.values()):
            unconfirmed.waiter.set(error=ConnectionLost("the broker went away before it confirmed"))
        for cancelled in list(self._cancelling.values()):
            cancelled.set()

    def beat(self) -> None:
        """Send a heartbeat if it is time; give the broker up if its own have stopped."""
        with suppress(ConnectionLost):
            self._send(self._connection.heartbeat_tick)

    def close(self) -> None:
        """Say goodbye; the reader ends when the broker has answered."""
        with suppress(ConnectionLost):
            self._send(self._say_goodbye)

    def _say_goodbye(self) -> None:
        self.lost = self._closing = True
        self._connection.send_method(spec.Connection.Close, "BsBB", (200, "", 0, 0))

    def cut(self) -> None:
        """End the connection at once, so that the reader notices and nobody tries to write."""
        self.lost = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    # ---- places

    def exchange(self, name: str, kind: str) -> None:
        """Declare an exchange, once if it stays; the default one needs none."""
        if name and name not in self._exchanges:
            self._send(self._declare, self._confirming, name, kind)
            self._settle()
            if kind == TOPIC:
                self._exchanges.add(name)

    @staticmethod
    def _declare(channel: Any, exchange: str, kind: str) -> None:
        """As oslo.messaging does: an exchange for fanouts goes with the last queue that reads from it."""
        stays = kind == TOPIC
        channel.exchange_declare(exchange, kind, durable=stays, auto_delete=not stays, nowait=True)

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
        take = self._reading.callbacks[s.queue] = lambda raw: self._deliver(raw, s)  # it may come before we return
        self._send(
            self._reading.basic_consume, s.queue, consumer_tag=s.queue, no_ack=s.no_ack, nowait=True, callback=take
        )

    def cancel(self, subscription: Subscription, timeout: float = 10.0) -> None:
        """Stop reading a queue, and return when all that was on its way has been delivered."""
        tag = subscription.queue
        cancelled = self._cancelling[tag] = Waiter()
        with suppress(ConnectionLost):  # then nothing more comes either
            self._send(self._reading.send_method, spec.Basic.Cancel, "sb", (tag, False))
            cancelled.wait(timeout)
        del self._cancelling[tag]

    def _deliver(self, raw: Any, subscription: Subscription) -> None:
        try:
            subscription.on_delivery(self._delivery(raw, subscription))
        except Exception:  # one message must not end the reading of all
            LOG.exception("a message on %s could not be taken", subscription.queue)

    def _delivery(self, raw: Any, subscription: Subscription) -> Delivery:
        properties, info = raw.properties, raw.delivery_info
        expiration, tried = properties.get("expiration"), (properties.get("application_headers") or {}).get(DELIVERIES)
        message = Message(
            body=raw.body or b"",
            exchange=info["exchange"],
            routing_key=info["routing_key"],
            message_id=properties.get("message_id", ""),
            reply_to=properties.get("reply_to"),
            app_id=properties.get("app_id", ""),
            user_id=properties.get("user_id"),
            expiration=int(expiration) / 1000 if expiration else None,
            persistent=properties.get("delivery_mode") == 2,
            deliveries=max(0, tried) if isinstance(tried, int) else 0,
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
        if kind == TOPIC:
            self.exchange(message.exchange, kind)
        else:  # it may have gone since; the channel keeps the order, so there is nothing to wait for
            self._send(self._declare, self._plain, message.exchange, kind)
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
        tag = self._published + 1
        self._unconfirmed[tag] = unconfirmed
        self._transmit(self._confirming, unconfirmed.message, mandatory)
        self._published = tag  # only now: what could not be written the broker does not count
        return tag

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
        try:
            with self._lock:
                if self.lost:
                    raise ConnectionLost("there is no connection to the broker")
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
        tags = [each for each in list(self._unconfirmed) if each <= tag] if multiple else [tag]
        return [found for each in tags if (found := self._unconfirmed.get(each))]

    def _cancelled(self, tag: str) -> None:
        if waiter := self._cancelling.get(tag):
            waiter.set()

    def _confirming_returned(self, error: Exception, exchange: str, key: str, raw: Any) -> None:
        message_id = raw.properties.get("message_id")
        for unconfirmed in list(self._unconfirmed.values()):
            if unconfirmed.message.message_id == message_id:
                unconfirmed.returned = True

    def _plain_returned(self, error: Exception, exchange: str, key: str, raw: Any) -> None:
        self._on_return(raw.properties.get("message_id", ""))
