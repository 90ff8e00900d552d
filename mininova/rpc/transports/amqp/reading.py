"""Read queues over a link.Link: have their messages delivered, or take what waits in one."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from mininova.rpc.errors import ConnectionLost, MessagingTimeout
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.frames import READING, Content
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.amqp.places import Places
from mininova.rpc.transports.base import Delivery, Subscription, Waiter
from mininova.rpc.watch.sparing import about

LOG = logging.getLogger(__name__)


class Reading:
    """The channel to read on, and more where prefetch is a channel's.  A reader's tag is the name of its queue.

    :param prefetch: how many messages a reader may have unsettled that does not say
    :param on_cancelled: called when the broker ends the reading of a queue, in the reader's thread
    """

    def __init__(self, link: Link, places: Places, prefetch: int, on_cancelled: Callable[[Subscription], None]) -> None:
        self._link, self._places, self._prefetch, self._on_cancelled = link, places, prefetch, on_cancelled
        self._dialect = places.dialect
        self._readers: dict[str, Subscription] = {}
        self._cancelling: dict[str, Waiter] = {}
        self._getting, self._got = threading.Lock(), deque[Waiter]()
        self._channels: dict[str, int] = {}  # of the queues that are read on one of their own
        self._listen(READING)
        link.on[READING, frames.GET_OK] = self._get_ok
        link.on[READING, frames.GET_EMPTY] = self._get_empty
        link.at_block.append(self._let_go)
        link.at_end.append(self._ended)

    def _listen(self, channel: int) -> None:
        self._link.on[channel, frames.DELIVER] = partial(self._deliver, channel)
        self._link.on[channel, frames.CANCEL] = self._cancelled_by_broker
        self._link.on[channel, frames.CANCEL_OK] = self._cancelled
        self._link.on[channel, frames.CHANNEL_CLOSE] = self._link.closed

    # ---- messages that come by themselves

    def consume(self, subscription: Subscription, timeout: float) -> None:
        """Declare a subscription's queue and read it."""
        s = subscription
        self._places.to_read(s.queue, s.exchange, s.kind, s.routing_key, durable=s.durable, timeout=timeout)
        self._readers[s.queue] = s
        channel = self._channel_of(s.queue)
        no_local = exclusive = of_the_channel = False
        no_wait = True
        bound = frames.method(  # for each reader that begins after it
            channel, frames.QOS, "lBb", 0, self._prefetch if s.prefetch is None else s.prefetch, of_the_channel
        )
        consume = frames.method(
            channel, frames.CONSUME, "BssbbbbF",
            0, s.queue, s.queue, no_local, s.no_ack, exclusive, no_wait, self._before_others(s),
        )  # fmt: skip
        self._link.write(bound + consume)

    def _channel_of(self, queue: str) -> int:
        """Give the channel on which a queue is read; one that was read before is read on the same again."""
        if not self._dialect.prefetch_is_of_channel:
            return READING
        if queue not in self._channels:
            with self._getting:
                self._channels[queue] = channel = frames.LAST_FIXED + 1 + len(self._channels)
            self._listen(channel)
            self._link.write(frames.method(channel, frames.CHANNEL_OPEN, "s", ""))
        return self._channels[queue]

    def _before_others(self, subscription: Subscription) -> dict[str, int]:
        """Have the process that began last read a queue that stays, where one that is lost may still be a reader."""
        priority = self._places.dialect.priority
        others_may_read = subscription.no_ack and not self._places.declares
        return {priority: time.time_ns()} if priority and others_may_read else {}

    def cancel(self, subscription: Subscription, timeout: float) -> None:
        """Stop reading a queue, and return when all that was on its way has been delivered.

        A broker that takes nothing now does not hear us: what it still delivers is then left to it.
        """
        tag = subscription.queue
        cancelled = self._cancelling[tag] = Waiter()
        with suppress(ConnectionLost):  # then nothing more comes either
            self._link.write(frames.method(self._channels.get(tag, READING), frames.CANCEL, "sb", tag, False))
            if not self._link.blocked:
                cancelled.wait(timeout)
        self._readers.pop(tag, None)
        del self._cancelling[tag]

    def _deliver(self, channel: int, payload: bytes, content: Content) -> None:
        consumer, tag, redelivered, exchange, key = frames.delivered(payload)
        subscription = self._readers.get(consumer)
        if subscription is None:  # cancelled, and the broker has not heard of it: it has the message back at the end
            return
        settle = _nothing if subscription.no_ack else self._settle(channel, tag)
        try:
            message = content.message(exchange, key)
            if (meant := self._dialect.came(message, subscription)) is not None:
                subscription.on_delivery(Delivery(meant, redelivered, settle))
            else:
                LOG.warning(
                    "dropped a message of %.100r on %s: it was sent to %.100r on %.100r, and another user bound that",
                    message.user_id, subscription.queue, key, exchange, extra=about(message.user_id, "bound"),
                )  # fmt: skip
                settle(True)
        except Exception:  # one message must not end the reading of all
            LOG.exception("a message on %s could not be taken", subscription.queue)

    def _settle(self, channel: int, tag: int) -> Callable[[bool], None]:
        def settle(done: bool) -> None:
            # On a connection that broke meanwhile there is nothing to settle: the broker has taken it back.
            with suppress(ConnectionLost):
                if done:
                    self._link.write(frames.settlement(channel, frames.ACK, tag))
                else:
                    self._link.write(frames.settlement(channel, frames.REJECT, tag, True))

        return settle

    def _cancelled(self, payload: bytes, content: Content) -> None:
        if waiter := self._cancelling.get(frames.arguments("s", payload)[0]):
            waiter.set()

    def _cancelled_by_broker(self, payload: bytes, content: Content) -> None:
        if subscription := self._readers.pop(frames.arguments("sb", payload)[0], None):
            self._on_cancelled(subscription)

    def _let_go(self) -> None:
        for waiter in list(self._cancelling.values()):
            waiter.set()

    # ---- messages that are taken

    def take_all(self, queue: str, timeout: float) -> list[Delivery]:
        """Take what waits in a queue now; what is not settled is there again when the connection ends.

        :raises Undeliverable: there is no such queue
        """
        self._places.check(queue, timeout)
        taken: list[Delivery] = []
        while (delivery := self._get(queue, timeout)) is not None:
            taken.append(delivery)
        return taken

    def _get(self, queue: str, timeout: float) -> Delivery | None:
        answer = Waiter()
        no_ack = False
        with self._getting:  # the broker answers in the order in which it was asked
            self._got.append(answer)
            self._link.write(frames.method(READING, frames.GET, "Bsb", 0, queue, no_ack))
        if not answer.wait(timeout):
            raise MessagingTimeout(f"the broker did not give what waits in {queue} in time{self._link.excuse()}")
        if answer.error is not None:
            raise answer.error
        delivery: Delivery | None = answer.value
        return delivery

    def _get_ok(self, payload: bytes, content: Content) -> None:
        tag, redelivered, exchange, key = frames.got(payload)
        self._got.popleft().set(Delivery(content.message(exchange, key), redelivered, self._settle(READING, tag)))

    def _get_empty(self, payload: bytes, content: Content) -> None:
        self._got.popleft().set(None)

    # ---- the end

    def _ended(self) -> None:
        self._let_go()
        with self._getting:
            unheard, self._got = self._got, deque()
        for waiter in unheard:
            waiter.set(error=ConnectionLost("the broker went away before it answered"))


def _nothing(done: bool) -> None:
    """Settle what the broker has forgotten already."""
