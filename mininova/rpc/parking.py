"""Casts that failed: each is tried again, and at last a server parks it, until an operator sends it again or drops it.

A parked cast lies in the queue ``<topic>.dead`` byte for byte as it came.  What is known beyond its bytes stands
beside it in headers: where it was sent, why it was given up, and when.  server.py parks, and so does listener.py with
notifications; mininova-manage, or the tool of another project, takes out.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from mininova.rpc import envelope, plain
from mininova.rpc.envelope import Request
from mininova.rpc.errors import RPCError, Undeliverable
from mininova.rpc.peer import Peer
from mininova.rpc.transports.base import Delivery, Message

KEY, ERROR, SINCE = "x-mininova-key", "x-mininova-error", "x-mininova-parked"
_NOTES = (KEY, ERROR, SINCE)
_LONGEST = 500  # characters of an error: all headers of a message must fit into one frame


def queue_of(topic: str) -> str:
    """Name the queue in which a topic's casts are parked."""
    return f"{topic}.dead"


def notes(message: Message, error: Exception) -> dict[str, str]:
    """Give the headers that say of a cast that failed where it was sent, and how it ended last."""
    told = f"{type(error).__name__}: {plain.outside(error)}"[:_LONGEST]
    return {KEY: message.routing_key, ERROR: told}


def again(peer: Peer, message: Message, place: str, *, pause: float) -> None:
    """Have a message that failed come to its place once more, counted, after a pause in a queue of the broker's.

    :param place: the queue that it came from; exchange and key of the message were its sender's to choose
    :param pause: in seconds
    """
    key, way = place, peer.way_to(peer.exchange)
    peer.transport.declare(place, way, place)  # it need not be bound there, where we send
    if pause:
        key = f"{place}.pause.{pause:g}"
        peer.transport.declare_pause(key, way, key, seconds=pause, back_to=place)
    peer.resend(message, exchange=way, routing_key=key, deliveries=message.deliveries + 1)


def park(peer: Peer, topic: str, message: Message) -> None:
    """Put a cast aside that has its notes, and return when the broker has it on disk."""
    queue, way = queue_of(topic), peer.way_to(peer.exchange)
    headers = {**message.headers, SINCE: f"{time.time():.3f}"}
    peer.transport.declare(queue, way, queue)
    peer.resend(message, exchange=way, routing_key=queue, persistent=True, headers=headers)


class Parked:
    """A parked cast that was taken out; unless it is settled, it stays parked.

    :ivar id: what it is called, as in the flow and in the log
    :ivar key: where it was sent; None when it does not say, or names a place that is not of its topic
    :ivar error: why it was given up, class and message; "" when it does not say
    :ivar since: when it was parked; None when it does not say
    :ivar by: the user that put it there, which may have made up all else; "" if the broker vouches for none
    :ivar request: the cast itself, or None when it cannot be read
    """

    def __init__(self, topic: str, delivery: Delivery) -> None:
        self.topic, self._delivery, self.message = topic, delivery, delivery.message
        self.request = _read(self.message)
        self.id = self.message.message_id or (self.request.unique_id if self.request else "")
        self.key = _of_topic(topic, self.message.headers.get(KEY))
        self.error = self.message.headers.get(ERROR, "")
        self.since = _moment(self.message.headers.get(SINCE))
        self.by = self.message.user_id or ""

    def send_again(self, peer: Peer) -> None:
        """Send it to where it was sent first, as if it had never been tried; only then it is no longer parked.

        :raises Undeliverable: that place is not served any more, or not known
        """
        if self.key is None:
            raise Undeliverable("it does not say where it was sent")
        headers = {name: value for name, value in self.message.headers.items() if name not in _NOTES}
        peer.resend(self.message, routing_key=self.key, deliveries=0, headers=headers)
        self._delivery.ack()  # last: a second copy is harmless, a lost one is not

    def drop(self) -> None:
        """Forget it."""
        self._delivery.ack()


def parked(peer: Peer, topic: str) -> Sequence[Parked]:
    """Take all casts of a topic that are parked, the oldest first; they are there again when the peer stops.

    :raises Undeliverable: no cast of this topic was ever parked
    """
    return [Parked(topic, delivery) for delivery in peer.transport.waiting(queue_of(topic))]


def _read(message: Message) -> Request | None:
    """Read a cast; or a notification, as a cast by the name of its event, which has no version."""
    try:
        payload = envelope.unpack(message.body)
        if "method" in payload or "event_type" not in payload:
            return envelope.read_request(payload)
        told = {**payload, "method": payload["event_type"], "args": payload.get("payload")}
        return msgspec.structs.replace(envelope.read_request(told), version="")
    except RPCError:
        return None


def _of_topic(topic: str, key: str | None) -> str | None:
    """Take a key only if it is of this topic: a sender must not reach other topics by way of the operator's tool."""
    return key if key is not None and (key == topic or key.startswith(f"{topic}.")) else None


def _moment(seconds: str | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
