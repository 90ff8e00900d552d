"""What every transport does, and what a sender may rely on.

A transport moves bytes between named places.  It knows exchanges, keys and queues, and nothing of methods,
versions or contexts.  Four exist: amqp.AMQPTransport for a broker that speaks AMQP, the fast one; kombu.KombuTransport
by plain kombu, to learn from and for other brokers; memory.MemoryTransport for tests; and that one in real time,
in_process.InProcessTransport, for a cloud in one process.  One suite of tests runs over all of them.

The places, for a control exchange ``E``:

* ``E`` (topic): requests.  Queue ``<topic>`` is shared by the servers of a topic, ``<topic>.<host>`` belongs to
  one of them; both are durable.
* ``E.reply`` (topic): replies, each to the queue of the one process that waits for it.
* ``E.notifications`` (topic): notifications; ``notifications.<priority>`` are queues for listeners.
* ``<topic>_fanout`` (fanout): a queue of its own for each server.
* ``E.from.<user>`` (topic): everything that an untrusted process sends: its lane, see trust/lanes.py.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

LOG = logging.getLogger(__name__)

TOPIC, FANOUT = "topic", "fanout"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, where they go, and the properties that travel beside them.

    :param reply_to: the key of the sender's reply queue on ``E.reply``
    :param app_id: the sender's own name, ``conductor.ctl-1``; for the log, never for a decision
    :param user_id: the sender's broker user as the broker validated it; None if it did not
    :param expiration: seconds after which the sender does not need it any more
    :param deliveries: how often a receiver has tried it before
    :param headers: what else travels beside the bytes, such as ``traceparent``
    """

    body: bytes
    exchange: str
    routing_key: str
    message_id: str
    reply_to: str | None = None
    app_id: str = ""
    user_id: str | None = None
    expiration: float | None = None
    persistent: bool = False
    deliveries: int = 0
    headers: Mapping[str, str] = {}


PATIENCE_S = 10.0  # that a broker has to answer a question


class Delivery:
    """A message in a receiver's hands, until it settles it: once, with ``ack`` or ``requeue``.

    ``arrived`` is the moment it came, on the clock of ``time.monotonic``: what it waits here is not left for work.
    """

    def __init__(self, message: Message, redelivered: bool, settle: Callable[[bool], None]) -> None:
        self.message, self.redelivered, self._settle = message, redelivered, settle
        self.arrived = time.monotonic()

    def ack(self) -> None:
        """The work is done: the broker may forget it."""
        self._settle(True)

    def acknowledged_later(self) -> Callable[[], None]:
        """Give what acknowledges it, and keeps nothing of the message until then."""
        return partial(self._settle, True)

    def requeue(self) -> None:
        """The work was not begun: another reader may have the message."""
        self._settle(False)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A queue to read from, and the binding that fills it.

    :param durable: the queue and its persistent messages outlive the broker and the reader; others go when unread
    :param no_ack: the broker forgets a message when it hands it out
    :param prefetch: how many messages may be unsettled; None leaves it to the transport
    """

    queue: str
    exchange: str
    kind: str
    routing_key: str
    on_delivery: Callable[[Delivery], object]
    durable: bool = True
    no_ack: bool = False
    prefetch: int | None = None


class Waiter:
    """One thing to wait for, once: the cheapest lock there is, green under eventlet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.value: Any = None
        self.error: Exception | None = None
        self.done = False

    def set(self, value: Any = None, error: Exception | None = None) -> None:
        """End the wait; only the first time counts."""
        if not self.done:
            self.value, self.error = value, error
            self.done = True  # last: a thread that sees it reads the other two
            self._lock.release()

    def wait(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds, and tell whether it ended."""
        return self.done or self._lock.acquire(timeout=max(0.0, timeout))


class Outage:
    """Tells the log why there is no broker: each kind of reason once, until the broker is back."""

    def __init__(self) -> None:
        self._said = set[type[Exception]]()

    def say(self, error: Exception, words: str = "%s", level: int = logging.WARNING) -> None:
        """Write a reason down; what tries again every few seconds says no more of the same kind, but when debugged."""
        LOG.log(logging.DEBUG if type(error) in self._said else level, words, error)
        self._said.add(type(error))

    def is_over(self) -> None:
        """Begin anew: the next outage is another one."""
        self._said.clear()


class Transport(ABC):
    """The contract.  All methods may be called from any thread."""

    #: The broker user that this process publishes as, or None.
    user_id: str | None = None

    #: Whether it makes the exchanges, and the queues that others read, or finds them made.
    declares: bool = True

    #: When a broker that was away was back last, on the clock of ``time.monotonic``.
    restored_at: float = float("-inf")

    @abstractmethod
    def start(self) -> None:
        """Connect, and begin to deliver to the subscriptions."""

    @abstractmethod
    def stop(self) -> None:
        """End all deliveries and disconnect; what is unsettled goes back to its queue."""

    @abstractmethod
    def subscribe(self, subscription: Subscription) -> None:
        """Declare the queue and begin to read it.  It is declared again after every reconnect."""

    @abstractmethod
    def unsubscribe(self, subscription: Subscription, timeout: float = PATIENCE_S) -> None:
        """Stop reading, and return when nothing more can come; what is in the receiver's hands may still be settled.

        :param timeout: seconds for which a broker that does not hear us is waited for
        """

    @abstractmethod
    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make sure that a durable queue is there for others to read, as notifications need."""

    @abstractmethod
    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make sure of a durable queue in which messages wait, and then go to the exchange again under another key.

        :param seconds: how long each waits
        :param back_to: the key under which it comes back
        """

    @abstractmethod
    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take all that waits in a durable queue now; what is not settled is there again after ``stop``.

        :raises Undeliverable: there is no such queue
        """

    @abstractmethod
    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Send, and wait for nothing.  If this raises an error, nothing was sent.

        :param mandatory: call ``on_return`` when no queue takes it
        """

    @abstractmethod
    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and return when the broker has it (on disk, if the message is persistent).

        :raises Undeliverable: no queue took it
        :raises MessageRefused: the broker does not take it, and will not if it is sent again
        :raises ConnectionLost: the broker went away before it confirmed; definite, if it went before it was sent
        :raises MessagingTimeout: it did not confirm in time; definite, if nothing was sent
        """

    def publish_all(self, messages: Sequence[Message], timeout: float) -> Sequence[Exception | None]:
        """Send several in their order, return when the broker has them, and give what went wrong with each.

        Over a network all are on their way before the first confirm is waited for.
        """
        return [self._error_of(message, timeout) for message in messages]

    def _error_of(self, message: Message, timeout: float) -> Exception | None:
        try:
            self.publish_confirmed(message, timeout)
        except Exception as error:  # the others are sent all the same
            return error
        return None

    def wait(self, waiter: Waiter, timeout: float) -> bool:
        """Wait for a reply; a transport without threads delivers meanwhile."""
        return waiter.wait(timeout)

    #: Called with the message_id of an unconfirmed mandatory message that no queue took.
    on_return: Callable[[str], None] = staticmethod(lambda message_id: None)

    #: Called when a connection that was lost is back and every queue is read again: what was asked may be lost.
    on_restored: Callable[[], None] = staticmethod(lambda: None)

    def _tell_restored(self) -> None:
        try:
            self.on_restored()
        except Exception:  # the connection is in use all the same
            LOG.exception("what follows a new connection failed")

    @property
    def is_connected(self) -> bool:
        """Tell whether messages can be sent at once."""
        return True
