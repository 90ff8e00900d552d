"""The driver that sends notifications as messages, in oslo.messaging's format.

Each goes to a durable queue named ``<topic>.<priority>``, which is made before the first one is sent, so that
those who listen later hear it, too.  A process that may not make it finds it made, or waits until it is.
"""

import time
from collections.abc import Sequence
from contextlib import nullcontext

from mininova.rpc import envelope, plain
from mininova.rpc.envelope import Request
from mininova.rpc.errors import ConnectionLost, MessageRefused, Undeliverable
from mininova.rpc.notify import notification
from mininova.rpc.notify.drivers import Driver, Several
from mininova.rpc.notify.notification import Notification
from mininova.rpc.notify.outbox import Outbox
from mininova.rpc.peer import Peer
from mininova.rpc.transports.base import Message
from mininova.rpc.watch import tracing


class Messaging(Driver):
    """Send notifications through the broker.

    Each is persistent and confirmed: once it was sent, the broker has it on disk.  One whose confirmation is lost
    is sent again, with the same ``message_id``.

    In the background ``notify`` waits for nothing, and what gathers meanwhile is sent together.  A notification is then
    lost only if this process is killed before the broker has it, which it has after milliseconds unless it is away, or
    if more wait for a broker that is away than there is room for; the latter is logged, one line for each.  Otherwise
    ``notify`` returns when the broker has it, and a broker that is away holds the caller up for as long as its patience
    lasts.

    :param topic: the first part of the routing key
    :param background: let a thread do the waiting
    :param patience: seconds that the broker has to take one, when not in the background
    """

    def __init__(
        self, peer: Peer, *, topic: str = "notifications", background: bool = False, patience: float = 10.0
    ) -> None:
        self._peer, self._topic, self._patience = peer, topic, patience
        self._outbox = Outbox(self._publish) if background else None
        self._declared: set[str] = set()

    @classmethod
    def make(cls, peer: Peer, topics: Sequence[str]) -> Driver:
        """Make one that sends each notification to each topic, in the background."""
        return Several([cls(peer, topic=topic, background=True) for topic in topics])

    def notify(self, notification: Notification) -> None:
        """Send one, or have it sent."""
        message, seen_as = self._message(notification)
        watch = self._peer.watch
        watched = (
            nullcontext(message) if watch is None else watch.sending("notification", self._topic, message, seen_as)
        )
        with watched as message:
            if self._outbox is None:
                self._publish_surely(message)
            else:
                self._outbox.put(message)

    def flush(self, timeout: float) -> bool:
        """Wait until the broker has all that was to be sent."""
        return self._outbox is None or self._outbox.flush(timeout)

    def stop(self, timeout: float) -> None:
        """Send what waits, and nothing more."""
        if self._outbox is not None:
            self._outbox.stop(timeout)

    def _message(self, told: Notification) -> tuple[Message, Request]:
        key = f"{self._topic}.{told.priority}"
        context = self._peer.codec.context_to_wire(told.context)
        payload = plain.builtins(self._peer.wrap(told.payload), "payload")
        written = notification.write(told, context, payload)
        plain.check(written)  # its listeners know no types that could restore it
        message = Message(
            body=envelope.pack(written),
            exchange=self._peer.way_to(self._peer.notification_exchange),
            routing_key=key,
            message_id=told.message_id,
            app_id=self._peer.name,
            user_id=self._peer.transport.user_id,
            persistent=True,
            headers=tracing.onward(),
        )
        seen_as = Request(method=told.event_type, args=payload, context=context, version="")
        return message, seen_as

    def _publish_surely(self, message: Message) -> None:
        """Publish until the broker confirms: a second copy is harmless, a lost one is not."""
        until = time.monotonic() + self._patience
        while True:
            (error,) = self._publish([message], until - time.monotonic())
            if error is None:
                return
            if not isinstance(error, ConnectionLost) or time.monotonic() >= until:
                raise error

    def _publish(self, messages: Sequence[Message], timeout: float) -> Sequence[Exception | None]:
        """Publish, and give what went wrong with each; if a queue has gone, make it, and go on from there once more."""
        until = time.monotonic() + timeout
        errors = self._publish_once(messages, timeout)
        gone = next((n for n, error in enumerate(errors) if _has_no_queue(error)), None)
        if gone is None:
            return errors
        self._declared.clear()  # or it is full
        return [*errors[:gone], *self._publish_once(messages[gone:], until - time.monotonic())]

    def _publish_once(self, messages: Sequence[Message], timeout: float) -> Sequence[Exception | None]:
        try:
            for key in {message.routing_key for message in messages}:
                self._declare(key)
        except Exception as error:  # as if none had been taken
            return [error] * len(messages)
        return self._peer.transport.publish_all(messages, timeout)

    def _declare(self, key: str) -> None:
        if key not in self._declared and self._peer.transport.declares:
            self._peer.transport.declare(key, self._peer.notification_exchange, key)
            self._declared.add(key)


def _has_no_queue(error: Exception | None) -> bool:
    return isinstance(error, Undeliverable) and not isinstance(error, MessageRefused)
