"""Lanes: a way of its own for each sender that is not trusted.

A queue is first come, first served: a process that floods a shared queue makes all others wait.  And a broker that
checks the routing key of a message does not check all of its keys: those in the header CC, or of a dead letter, get
past it.  So an untrusted process may write to one exchange only: its lane, ``E.from.<user>``.  Readers bind queues of
their own to it, one for each lane, named ``<place>.from.<user>``: a server with the key of its topic, a caller with the
key of its replies.  Nothing else is bound to a lane, and nothing else fills those queues.

A reader has a fixed number of messages of each lane in hand at most; the broker delivers those of all lanes in turn.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from functools import partial

from mininova.rpc.errors import Forbidden
from mininova.rpc.transports.base import PATIENCE_S, TOPIC, Delivery, Message, Subscription, Transport
from mininova.rpc.watch.sparing import about

LOG = logging.getLogger(__name__)

HANDS = 8  # messages of one lane that a server works on at a time
PATIENCE = 16  # messages of one lane that answer no call in flight; then no more are read until it is asked again

#: Key that is asked, ``compute.host-1`` → the broker user whose lane the replies come by; None for no lane.
LaneOf = Callable[[str], str | None]


def exchange_of(exchange: str, user: str | None) -> str:
    """Name the lane of a broker user.

    :param exchange: the control exchange
    """
    return f"{exchange}.from.{user or ''}"


def replies_to(user: str) -> str:
    """Name the one queue of the replies to a process that has a lane.

    It makes no queue for them, and binds none: a reply that goes into many queues holds up those to others.
    """
    return f"reply_{user}_{0:032x}"


def is_lane(name: str, exchange: str) -> bool:
    """Tell whether an exchange of this name is a lane.

    :param exchange: the control exchange
    """
    return name.startswith(exchange_of(exchange, ""))


def check_sender(message: Message, exchange: str) -> None:
    """Refuse a message that came by another sender's lane.

    :param exchange: the control exchange
    :raises Forbidden: when it did
    """
    if is_lane(message.exchange, exchange) and message.exchange != exchange_of(exchange, message.user_id):
        raise Forbidden(f"it came by {message.exchange}, which is not its sender's", object=message.exchange)


class Lanes:
    """The lanes that one reader reads.

    :param exchange: the control exchange
    :param place: the reader's own queue, and the key that it has there
    :param durable: whether what comes by lanes outlives the reader, as what comes to its own queue does
    :param at_once: how many messages of each lane may be in hand
    :param take: called with the user of the lane, and what came
    """

    def __init__(
        self,
        transport: Transport,
        exchange: str,
        place: str,
        *,
        durable: bool,
        at_once: int,
        take: Callable[[str, Delivery], None],
    ) -> None:
        self._transport, self._exchange, self._place = transport, exchange, place
        self._durable, self._at_once, self._take = durable, at_once, take
        self._changing = threading.Lock()
        self._read: dict[str, Subscription] = {}

    def read(self, user: str) -> None:
        """Read a lane; when this returns, what comes by it is heard."""
        if user in self._read:
            return
        with self._changing:
            if user not in self._read:
                subscription = self._subscription(user)
                self._transport.subscribe(subscription)
                self._read[user] = subscription

    def read_only(self, users: Collection[str], within: float = PATIENCE_S) -> None:
        """Read these lanes, and no other.

        :param within: seconds for which a broker that does not hear us is waited for
        """
        for user in users:
            self.read(user)
        until = time.monotonic() + within
        with self._changing:
            for user in self._read.keys() - users:
                self._transport.unsubscribe(self._read.pop(user), max(0.0, until - time.monotonic()))

    def _subscription(self, user: str) -> Subscription:
        return Subscription(
            queue=f"{self._place}.from.{user}",
            exchange=exchange_of(self._exchange, user),
            kind=TOPIC,
            routing_key=self._place,
            on_delivery=partial(self._came, user),
            durable=self._durable,
            prefetch=self._at_once,
        )

    def _came(self, user: str, delivery: Delivery) -> None:
        """Take what came by the lane, and drop what else was put into its queue: on Qpid any user can bind that."""
        message = delivery.message
        if message.exchange == exchange_of(self._exchange, user):
            return self._take(user, delivery)
        LOG.warning(
            "dropped a message of %.100r from the lane of %s: it was sent to %.100r, and another user bound that",
            message.user_id, user, message.exchange, extra=about(message.user_id, "bound"),
        )  # fmt: skip
        return delivery.ack()


class ReplyLanes:
    """The lanes by which the answers to one caller come.

    :param reply_queue: the caller's
    :param take: handles a reply, and tells whether a call waited for it
    """

    def __init__(
        self, transport: Transport, exchange: str, reply_queue: str, lane_of: LaneOf, take: Callable[[Delivery], bool]
    ) -> None:
        self._lane_of, self._take_reply = lane_of, take
        self._lanes = Lanes(transport, exchange, reply_queue, durable=False, at_once=PATIENCE, take=self._take)
        self._unasked: dict[str, list[Callable[[], None]]] = {}

    def expect_from(self, key: str) -> None:
        """Read the lane by which an answer is to come, before that is asked for; what came unasked is forgotten."""
        if (user := self._lane_of(key)) is not None:
            self._lanes.read(user)
            for acknowledge in self._unasked.pop(user, ()):
                acknowledge()

    def _take(self, user: str, delivery: Delivery) -> None:
        if self._take_reply(delivery):
            delivery.ack()
        else:
            self._unasked.setdefault(user, []).append(delivery.acknowledged_later())
