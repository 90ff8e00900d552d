"""The connection that publishes: threads take turns on it, and each waits for the broker's receipt.

A virtual broker of kombu's has the message when ``publish`` returns.  RabbitMQ confirms it, and returns a message that
no queue takes; a virtual one would drop that, so we look first where its key leads.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Producer, Queue

from mininova.rpc.errors import ConnectionLost, MessageRefused, MessagingTimeout, RPCError
from mininova.rpc.transports.base import TOPIC, Message
from mininova.rpc.transports.kombu import terms

_NOT_FOUND = 404  # AMQP's reply code


class Publisher:
    """Publish and declare.

    :param connect: makes a connection, or raises BrokerUnreachable
    :param usable: set while the broker is there; we wait for that
    :param returns: whether the broker returns a message that no queue takes
    :ivar closed: whether nothing more is sent
    """

    def __init__(self, connect: Callable[[], Any], usable: threading.Event, *, returns: bool) -> None:
        self._connect, self._usable, self._returns = connect, usable, returns
        self._turn = threading.Lock()
        self._producer: Producer | None = None
        self._stale = self.closed = False
        self._sent = self._returned = False  # the message whose turn it is

    def send(self, message: Message, kind: str, timeout: float) -> bool:
        """Send, wait until the broker has it, and tell whether a queue took it.

        :raises MessageRefused: the broker does not take it
        :raises ConnectionLost: the broker went away
        :raises MessagingTimeout: it did not confirm in time
        """
        until = time.monotonic() + timeout
        with self._in_turn(timeout, message) as producer:
            exchange = terms.exchange(message.exchange, kind)
            if exchange.name:
                producer.maybe_declare(exchange)
            if not self._returns and _leads_nowhere(producer.channel, message):
                return False
            self._sent = True
            producer.publish(
                message.body, exchange=exchange, routing_key=message.routing_key, mandatory=kind == TOPIC,
                confirm_timeout=max(0.001, until - time.monotonic()), **terms.properties(message),
            )  # fmt: skip
            return not self._returned

    def declare(self, queue: Queue, timeout: float) -> None:
        """Make a queue."""
        with self._in_turn(timeout) as producer:
            queue(producer.channel).declare()

    def ring(self, bell: str, timeout: float) -> None:
        """Wake a reader by a message to a queue of its own; one that is away wakes by itself."""
        with suppress(RPCError), self._in_turn(timeout) as producer:
            producer.publish(b"", exchange="", routing_key=bell, content_type="text/plain", confirm_timeout=timeout)

    def renew(self) -> None:
        """Have the next message connect again: the broker was away."""
        self._stale = True

    def close(self) -> None:
        """Disconnect; who still waits to send gets an error."""
        self.closed = True
        self._usable.set()
        with self._turn:
            self._drop()

    @contextmanager
    def _in_turn(self, timeout: float, message: Message | None = None) -> Iterator[Producer]:
        """Give the producer to one thread at a time.

        After an error the connection is dropped: a receipt that came late would count for the next message.
        """
        until = time.monotonic() + timeout
        if not self._usable.wait(timeout) or not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            raise MessagingTimeout("the broker is away, and did not come back in time", definite=True)
        if self.closed:
            self._turn.release()
            raise MessagingTimeout("the transport has stopped", definite=True)
        self._sent = self._returned = False
        try:
            if self._stale:
                self._drop()
            if self._producer is None:
                self._producer = Producer(self._connect(), on_return=self._on_return if self._returns else None)
            yield self._producer
        except Exception as error:  # kombu has no base class for what the libraries below it raise
            self._drop()
            raise _named(error, message, definite=not self._sent) from error
        finally:
            self._turn.release()

    def _on_return(self, *returned: Any) -> None:
        self._returned = True

    def _drop(self) -> None:
        producer, self._producer, self._stale = self._producer, None, False
        if producer is not None and producer.connection is not None:
            with suppress(Exception):  # as above; it is of no use any more
                producer.connection.collect()


def _leads_nowhere(channel: Any, message: Message) -> bool:
    """Tell whether no queue takes a message: a virtual broker would drop it without a word."""
    if not message.exchange:
        return False
    table = channel.get_table(message.exchange)
    return not channel.typeof(message.exchange).lookup(table, message.exchange, message.routing_key, None)


def _named(error: Exception, message: Message | None, *, definite: bool) -> RPCError:
    """Give our own error for one of kombu's."""
    code, key = getattr(error, "reply_code", None), message.routing_key if message is not None else ""
    if isinstance(error, TimeoutError):
        return MessagingTimeout(f"the broker did not confirm a message to {key} in time", definite=definite)
    if code and code != _NOT_FOUND and message is not None:
        exchange = message.exchange
        why = f"the broker refuses a message to {key} on the exchange {exchange!r}: {error}"
        return MessageRefused(why, target=key, exchange=exchange, code=code)
    return ConnectionLost(f"the broker went away before it confirmed: {error}", definite=definite)
