"""Hear notifications: ours and oslo.messaging's, which have one format.

Any process can listen; it needs a Peer and a handler.  A listener reads the queues ``<topic>.<priority>``, which
all listeners share, each notification going to one of them; or, as a *pool*, queues of its own beside those, so
that every pool hears everything.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Queue

from msgspec.structs import replace

from mininova.rpc import envelope, parking
from mininova.rpc.envelope import Request
from mininova.rpc.notify import notification
from mininova.rpc.notify.notification import PRIORITIES, Notification
from mininova.rpc.peer import Peer
from mininova.rpc.server import PAUSES
from mininova.rpc.transports.base import TOPIC, Delivery, Message, Subscription
from mininova.rpc.watch import tracing

LOG = logging.getLogger(__name__)

Handler = Callable[[Notification], object]


class Listener:
    """Give each notification to a handler, and let the broker forget it when the handler returns.

    At least once: one whose listener died over it comes again, and so does one that was sent twice; the
    ``message_id`` tells.  One that the handler fails at comes again after pauses, and is then parked in
    ``<queue>.dead``, loudly; what cannot be read is parked at once.  Those of one publisher come in its order,
    unless one of them came again.

    :param peer: this process's end of the messaging, started
    :param priorities: which to hear
    :param pool: a name for queues of one's own, ``<topic>.<priority>.<pool>``; they are durable, and fill from the
        first start on, whether a listener runs or not.  None reads the shared queues
    :param exchange: where the notifications are sent, if that is not the peer's exchange
    :param workers: how many are handled at a time; 0 handles each where it arrives, in a transport without threads
    :param pauses: seconds from each failure to the next try
    """

    def __init__(
        self,
        peer: Peer,
        handler: Handler,
        *,
        topics: Sequence[str] = ("notifications",),
        priorities: Sequence[str] = PRIORITIES,
        pool: str | None = None,
        exchange: str | None = None,
        workers: int = 1,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.peer, self.handler, self._pauses = peer, handler, pauses
        self._subscriptions = [
            self._subscription(exchange or peer.notification_exchange, f"{topic}.{priority}", pool)
            for topic in topics
            for priority in priorities
        ]
        self._arrived: Queue[tuple[str, Delivery] | None] = Queue()
        self._workers = [threading.Thread(target=self._work, name="listener", daemon=True) for _ in range(workers)]
        self._stopping = False

    def _subscription(self, exchange: str, key: str, pool: str | None) -> Subscription:
        name = key if pool is None else f"{key}.{pool}"
        return Subscription(
            queue=name, exchange=exchange, kind=TOPIC, routing_key=key, on_delivery=partial(self._take, name)
        )

    def start(self) -> None:
        """Begin to listen."""
        for worker in self._workers:
            worker.start()
        for subscription in self._subscriptions:
            self.peer.transport.subscribe(subscription)

    def stop(self, timeout: float = 60.0) -> None:
        """Take nothing new, give back what was not begun, and let what was begun end, for at most ``timeout`` s."""
        self._stopping = True
        for subscription in self._subscriptions:
            self.peer.transport.unsubscribe(subscription)
        for _ in self._workers:
            self._arrived.put(None)
        until = time.monotonic() + timeout
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))

    # ---- one notification

    def _take(self, queue: str, delivery: Delivery) -> None:
        if self._workers:
            self._arrived.put((queue, delivery))
        else:
            self._handle(queue, delivery)

    def _work(self) -> None:
        while (arrived := self._arrived.get()) is not None:
            self._handle(*arrived)

    def _handle(self, queue: str, delivery: Delivery) -> None:
        if self._stopping:
            return delivery.requeue()
        try:
            self._hear(queue, delivery)
        except Exception:  # the broker is away that it was to be put aside in; it gives it to us again
            LOG.exception("a notification from %s could not be put aside", queue)
            return delivery.requeue()
        return delivery.ack()

    def _hear(self, queue: str, delivery: Delivery) -> None:
        message = delivery.message
        try:
            heard = notification.read(envelope.unpack(message.body), self.peer.codec, self.peer.sender_of(message))
        except Exception as error:
            return self._park(queue, message, None, error)
        self._happened("redelivered" if delivery.redelivered else "received", message, heard)
        began = time.monotonic()
        try:
            with tracing.continuing(message.headers):
                self.handler(heard)
        except Exception as error:
            LOG.error("%s failed, delivery %d", heard.event_type, message.deliveries + 1, exc_info=error)
            self._happened("replied", message, heard, duration=time.monotonic() - began, error=error)
            return self._again(queue, message, heard, error)
        return self._happened("replied", message, heard, duration=time.monotonic() - began)

    def _again(self, queue: str, message: Message, heard: Notification, error: Exception) -> None:
        """Have it come to this queue once more, and to no other pool's, after a pause; or park it."""
        if message.deliveries >= len(self._pauses):
            return self._park(queue, message, heard, error)
        return parking.again(self.peer, message, queue, pause=self._pauses[message.deliveries])

    def _park(self, queue: str, message: Message, heard: Notification | None, error: Exception) -> None:
        what = "a notification that cannot be read" if heard is None else f"notification {heard.event_type}"
        LOG.critical("parked %s (%s) in %s: %s", what, message.message_id, parking.queue_of(queue), error)
        here = replace(message, routing_key=queue, deliveries=message.deliveries + 1)
        parking.park(self.peer, queue, replace(here, headers={**here.headers, **parking.notes(here, error)}))
        if heard is not None:
            self._happened("parked", message, heard, error=error)

    def _happened(
        self,
        kind: str,
        message: Message,
        heard: Notification,
        *,
        duration: float | None = None,
        error: Exception | None = None,
    ) -> None:
        if (watch := self.peer.watch) is None:
            return
        with suppress(Exception):  # a foreign context need not be one of ours
            context = self.peer.codec.context_to_wire(heard.context)
            seen_as = Request(method=heard.event_type, args=heard.payload, context=context, version="")
            watch.happened(
                kind, message, seen_as,
                pattern="notification", receiver=self.peer.name, duration=duration, error=error,
            )  # fmt: skip
